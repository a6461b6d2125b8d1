import java.nio.ByteBuffer;

/** As much of Avro's binary encoding as the workload has: longs, behind a frame of 10 bytes. */
final class Avro {
    private static final int FRAME = 10;

    private Avro() {}

    static ByteBuffer body(byte[] bytes) {
        return ByteBuffer.wrap(bytes, FRAME, bytes.length - FRAME);
    }

    static long read(ByteBuffer from) {
        long bits = 0;
        int shift = 0;
        byte next;
        do {
            next = from.get();
            bits |= (long) (next & 0x7f) << shift;
            shift += 7;
        } while (next < 0);
        return (bits >>> 1) ^ -(bits & 1);
    }

    static int length(long number) {
        long rest = (number << 1) ^ (number >> 63);
        return rest == 0 ? 1 : (70 - Long.numberOfLeadingZeros(rest)) / 7;
    }

    static int write(byte[] to, int at, long number) {
        long rest = (number << 1) ^ (number >> 63);
        int next = at;
        while ((rest & ~0x7fL) != 0) {
            to[next++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        to[next++] = (byte) rest;
        return next;
    }
}
