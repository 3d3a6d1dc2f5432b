/* farmer.c: calls into the circle, and is none of it. */
int hen(int years);
int farmer(void);

int farmer(void)
{
	return hen(3);
}
