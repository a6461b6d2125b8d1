import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** What is kept of a key: Avro single-object encoding of three longs, as the other contenders write it. */
final class Total {
    long count;
    long sum;
    long last;

    Total add(long amount) {
        count++;
        sum += amount;
        last = amount;
        return this;
    }

    /** Encodes behind the 10 bytes that name the schema. */
    static Serde<Total> serde(byte[] frame) {
        return new Serde<>() {
            @Override
            public Serializer<Total> serializer() {
                return (topic, total) -> total == null ? null : total.encode(frame);
            }

            @Override
            public Deserializer<Total> deserializer() {
                return (topic, bytes) -> bytes == null ? null : decode(bytes);
            }
        };
    }

    private byte[] encode(byte[] frame) {
        byte[] bytes = new byte[frame.length + Avro.length(count) + Avro.length(sum) + Avro.length(last)];
        System.arraycopy(frame, 0, bytes, 0, frame.length);
        int at = Avro.write(bytes, frame.length, count);
        at = Avro.write(bytes, at, sum);
        Avro.write(bytes, at, last);
        return bytes;
    }

    private static Total decode(byte[] bytes) {
        ByteBuffer body = Avro.body(bytes);
        Total total = new Total();
        total.count = Avro.read(body);
        total.sum = Avro.read(body);
        total.last = Avro.read(body);
        return total;
    }
}
