import java.util.function.IntConsumer;

/** ShuffleBench's rules, as native/lines.h and the app in apps/shuffle have them: ranges of equal width on a ring. */
final class ShuffleRules {
    private static final double SELECTIVITY = 0.2;
    private static final long SEED = 0x2e3fac4f58fc98b4L;
    private static final long COUNT_SEED = 0x1b873593cc9e2d51L;
    private static final int SLOT_BITS = 47;
    private static final int SLOTS = 1 << 16;

    private final long width;
    /** The rules of slot s stand from first[s] to first[s + 1] - 1: their numbers and their offsets. */
    private final int[] first = new int[SLOTS + 1];
    private final int[] rules;
    private final long[] offsets;

    ShuffleRules(int n) {
        width = (long) (SELECTIVITY / n * 0x1p63);
        for (int rule = 0; rule < n; rule++) {
            eachSlot(at(SEED, rule) & Long.MAX_VALUE, slot -> first[slot]++);
        }
        // Counts become ends, and ends beginnings as the rules are put before them.
        for (int slot = 1; slot <= SLOTS; slot++) {
            first[slot] += first[slot - 1];
        }
        rules = new int[first[SLOTS]];
        offsets = new long[first[SLOTS]];
        for (int i = n - 1; i >= 0; i--) {
            int rule = i;
            long offset = at(SEED, rule) & Long.MAX_VALUE;
            eachSlot(offset, slot -> {
                int place = --first[slot];
                rules[place] = rule;
                offsets[place] = offset;
            });
        }
    }

    private void eachSlot(long offset, IntConsumer slots) {
        long last = (offset + width - 1) >>> SLOT_BITS;
        for (long slot = offset >>> SLOT_BITS; slot <= last; slot++) {
            slots.accept((int) (slot % SLOTS));
        }
    }

    /** The rules that match a line which begins with these two words. */
    void match(long one, long two, IntConsumer matched) {
        long hash = mix(one + mix(two)) & Long.MAX_VALUE;
        int slot = (int) (hash >>> SLOT_BITS);
        for (int place = first[slot]; place < first[slot + 1]; place++) {
            if (((hash - offsets[place]) & Long.MAX_VALUE) < width) {
                matched.accept(rules[place]);
            }
        }
    }

    /** Not all rules make their first output at the same time. */
    static long firstCount(int rule, long rate) {
        return (at(COUNT_SEED, rule) & Long.MAX_VALUE) % rate;
    }

    /** SplitMix64: number i of a seed without those before it. */
    private static long at(long seed, long i) {
        return mix(seed + (i + 1) * 0x9e3779b97f4a7c15L);
    }

    private static long mix(long number) {
        long z = (number ^ (number >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
