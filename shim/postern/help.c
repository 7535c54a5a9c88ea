#include "help.h"

#include <stdio.h>

#include "config.h"

static void flags(const struct pst_flag *v)
{
	for (; v->name != NULL; v++) {
		char name[80];
		if (v->help == NULL)
			continue;
		if (v->alt != 0)
			snprintf(name, sizeof name, "--%s, -%c%s", v->name, v->alt,
				 v->kind == PST_FLAG_BOOL ? "" : " value");
		else
			snprintf(name, sizeof name, "--%s%s", v->name,
				 v->kind == PST_FLAG_BOOL ? "" : " value");
		printf("   %-28s %s\n", name, v->help);
	}
}

static void verbs(bool oci)
{
	for (const struct pst_verb *v = pst_verbs; v->name != NULL; v++)
		if (v->oci == oci)
			printf("   %-12s %s\n", v->name, v->summary);
}

int help_all(void)
{
	printf("NAME:\n   postern - run OCI containers hardened, in front of runc\n\n"
	       "USAGE:\n   postern [global options] command [command options] [arguments...]\n\n"
	       "VERSION:\n   %s\n\nCOMMANDS of an OCI runtime:\n",
	       PST_VERSION);
	verbs(true);
	printf("\nCOMMANDS of postern:\n");
	verbs(false);
	printf("\nGLOBAL OPTIONS:\n");
	flags(pst_global_flags);
	return 0;
}

int help_verb(const struct pst_verb *v)
{
	printf("NAME:\n   postern %s - %s\n\nUSAGE:\n   postern %s [command options] %s\n\nOPTIONS:\n",
	       v->name, v->summary, v->name, v->usage);
	flags(v->flags);
	return 0;
}
