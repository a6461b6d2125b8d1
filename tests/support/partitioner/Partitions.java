/*
 * Prints the partitions that the Java client gives to 10,000 IDs: one line for each number of
 * partitions, "N: " and then two decimal digits an ID. The result is kept as
 * tests/unit/kafka/partitions.txt; test-partitioner.c makes the same IDs. To make it anew, from the
 * top of the tree:
 *
 *   java -cp "$(scripts/kafka download)/*" tests/support/partitioner/Partitions.java \
 *     > tests/unit/kafka/partitions.txt
 */
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;

public class Partitions {
    static long mix(long i) {
        long z = i * 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    static byte[] bytes(int i, int length) {
        byte[] result = new byte[length];
        for (int j = 0; j < length; j++) {
            result[j] = (byte) (mix(i * 64L + j + 1) >>> 32);
        }
        return result;
    }

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /* A name, a UUID in text, a UUID in 16 bytes, characters of two to four bytes, any bytes (also none). */
    static byte[] id(int i) {
        switch (i % 5) {
            case 0:
                return text("cart-" + i);
            case 1:
                String hex = String.format("%016x%016x", mix(2L * i), mix(2L * i + 1));
                return text(String.join("-", hex.substring(0, 8), hex.substring(8, 12),
                    hex.substring(12, 16), hex.substring(16, 20), hex.substring(20)));
            case 2:
                return bytes(i, 16);
            case 3:
                return text("\u00fcn\u00efc\u00f6d\u00e9 " + i + " \u6f22\u5b57 \ud83d\ude00");
            default:
                return bytes(i, i / 5 % 40);
        }
    }

    public static void main(String[] arguments) {
        for (int n : new int[] {4, 7, 12, 100}) {
            StringBuilder line = new StringBuilder(n + ": ");
            for (int i = 0; i < 10000; i++) {
                line.append(String.format("%02d", BuiltInPartitioner.partitionForKey(id(i), n)));
            }
            System.out.println(line);
        }
    }
}
