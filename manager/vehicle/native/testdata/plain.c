int plain(void) { return 1; }
int data[64] = {1};
