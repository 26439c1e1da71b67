/* Owns a crash five calls deep: each function calls the next, the last writes where nothing is. */
static volatile int *nowhere;
__attribute__((noinline)) int level_five(int n) { volatile char room[64]; room[n % 64] = 1; *nowhere = n; return room[0] + n; }
__attribute__((noinline)) int level_four(int n) { volatile char room[200]; room[n] = 2; return level_five(n + 1) + room[n]; }
__attribute__((noinline)) int level_three(int n) { return level_four(n + 1) * 3; }
__attribute__((noinline)) int level_two(int n) { return level_three(n + 1) * 5; }
__attribute__((noinline)) int level_one(int n) { return level_two(n + 1) * 7; }
int main(void) { return level_one(1); }
