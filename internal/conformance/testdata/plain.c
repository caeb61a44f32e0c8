/* A library that is no module library. */
int answer(void) { return 42; }
