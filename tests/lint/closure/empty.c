/* Linked with one layer whole and the layers below it, see ../meson.build. */
int main(void)
{
	return 0;
}
