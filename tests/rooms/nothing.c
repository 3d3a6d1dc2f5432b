/* nothing.c: the program around a whole layer: what matters is that it links. */
int main(void)
{
	return 0;
}
