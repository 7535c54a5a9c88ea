/*
 * containerd/service.h - the task service as the server sees it.
 */
#pragma once

#include "containerd/serve.h"

/* One request (pst_serve_fn): Task v2 and v3 are the same messages. */
void pst_service_call(struct pst_call *c, const char *service, const char *method,
		      const uint8_t *payload, size_t len);

/* The last task has gone: without a new one the server ends in a while. */
void pst_service_empty(void);

/* No container is left and Shutdown was called: away with the socket before it is
 * answered, send what events wait, then end. */
void pst_service_end(void);
