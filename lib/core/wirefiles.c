#include "core/wirefiles.h"

void pst_wire_podman(const struct pst_wire *w, struct pst_buf *out)
{
	pst_buf_fmt(out,
		    "# `postern uninstall podman` takes this file away.\n"
		    "[engine.runtimes]\n"
		    "postern = [\"%s/postern\"]\n",
		    w->bin);
}

void pst_wire_crio(const struct pst_wire *w, struct pst_buf *out)
{
	pst_buf_fmt(out,
		    "# `postern uninstall crio` takes this file away.\n"
		    "[crio.runtime.runtimes.postern]\n"
		    "runtime_path = \"%s/postern\"\n"
		    "runtime_type = \"oci\"\n"
		    "runtime_root = \"/run/postern-crio\"\n",
		    w->bin);
}
