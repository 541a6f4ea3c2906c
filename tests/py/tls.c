/*
 * Thread-local storage with every kind of content. Built twice: tls_early.so
 * is part of the image, tls_late.so is loaded after the restore.
 */
static __thread int number = 41;
static __thread char block[6000];

int tls_get(void)
{
	return number;
}

void tls_set(int value)
{
	number = value;
	block[sizeof(block) - 1] = (char)value;
}

int tls_block_is(int value)
{
	return block[0] == 0 && block[sizeof(block) - 1] == (char)value;
}
