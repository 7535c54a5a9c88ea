/* Says which user it has become: with the set-user-id bit, root, unless no_new_privs forbids. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	printf("Effective uid: %u\n", (unsigned)geteuid());
	return 0;
}
