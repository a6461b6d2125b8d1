import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** What a rule has counted: Avro single-object encoding of four longs and bytes, as the other contenders write it. */
final class ShuffleState {
    private static final byte[] NOTHING = new byte[0];

    long count;
    long sum;
    long start;
    long end;
    byte[] prefix = NOTHING;

    ShuffleState(long count) {
        this.count = count;
    }

    /** Encodes behind the 10 bytes that name the schema. */
    static Serde<ShuffleState> serde(byte[] frame) {
        return new Serde<>() {
            @Override
            public Serializer<ShuffleState> serializer() {
                return (topic, state) -> state == null ? null : state.encode(frame);
            }

            @Override
            public Deserializer<ShuffleState> deserializer() {
                return (topic, bytes) -> bytes == null ? null : decode(bytes);
            }
        };
    }

    private byte[] encode(byte[] frame) {
        int length = frame.length + prefix.length + Avro.length(prefix.length);
        for (long number : new long[] {count, sum, start, end}) {
            length += Avro.length(number);
        }
        byte[] bytes = Arrays.copyOf(frame, length);
        int at = Avro.write(bytes, frame.length, count);
        at = Avro.write(bytes, at, sum);
        at = Avro.write(bytes, at, start);
        at = Avro.write(bytes, at, end);
        at = Avro.write(bytes, at, prefix.length);
        System.arraycopy(prefix, 0, bytes, at, prefix.length);
        return bytes;
    }

    private static ShuffleState decode(byte[] bytes) {
        ByteBuffer body = Avro.body(bytes);
        ShuffleState state = new ShuffleState(Avro.read(body));
        state.sum = Avro.read(body);
        state.start = Avro.read(body);
        state.end = Avro.read(body);
        state.prefix = new byte[(int) Avro.read(body)];
        body.get(state.prefix);
        return state;
    }
}
