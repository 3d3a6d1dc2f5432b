/* hen.c: one half of a circle that tests/rooms must find. */
int hen(int years);
int egg(int years);

int hen(int years)
{
	return years > 0 ? egg(years - 1) : 0;
}
