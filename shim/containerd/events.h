/*
 * containerd/events.h - events to containerd: in order, one in flight, kept until
 * acknowledged.
 *
 * A ttrpc client on TTRPC_ADDRESS (Events/Forward). While containerd is away the
 * queue waits and the address is tried again (1 s, growing to 5 s; a timer runs only
 * while something waits). Nothing is dropped but when the process ends, one that containerd
 * answers five times with an error, and what pst_events_send_few is told to bound; both are logged.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* address: path of the socket, "unix://" is taken off. Both strings are copied. */
PST_CHECKED int pst_events_open(const char *address, const char *namespace_, struct pst_err *err);

/* Queue one event, stamped with the present time. topic: "/tasks/exit", kept as it is and not
 * copied; type: the bare message name, "containerd.events.TaskExit". */
void pst_events_send(const char *topic, const char *type, const ProtobufCMessage *event);

/* The same, but false and nothing queued when `most` with this `about` wait already. */
PST_CHECKED PST_NONNULL(4)
bool pst_events_send_few(const char *topic, const char *type, const ProtobufCMessage *event, const void *about,
			 unsigned most);

PST_CHECKED bool pst_events_pending(void);

/* Call done(ctx) from the loop once the queue is empty, or after `ms`. */
void pst_events_drain(unsigned ms, void (*done)(void *ctx), void *ctx);
