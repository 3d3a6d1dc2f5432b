/* egg.c: the other half. */
int hen(int years);
int egg(int years);

int egg(int years)
{
	return hen(years);
}
