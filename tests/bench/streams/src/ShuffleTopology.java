import java.nio.ByteBuffer;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** ShuffleBench: match, repartition by rule, count; a state goes out and begins anew when it has counted `rate`. */
final class ShuffleTopology {
    private static final String STORE = "states";
    private static final String KEY = "rule-";
    private static final Serde<String> KEYS = Serdes.String();
    private static final Serde<byte[]> LINES = Serdes.ByteArray();

    private ShuffleTopology() {}

    static Topology build(Properties properties, byte[] frame) {
        ShuffleRules rules = new ShuffleRules(number(properties, "bench.rules"));
        int rate = number(properties, "bench.rate");
        int prefix = number(properties, "bench.prefix");
        Serde<ShuffleState> states = ShuffleState.serde(frame);
        StreamsBuilder builder = new StreamsBuilder();
        // The cache only holds something where its size is above 0.
        builder.addStateStore(
            Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), KEYS, states).withCachingEnabled());
        builder.stream(properties.getProperty("bench.input"), Consumed.with(KEYS, LINES))
            .process(() -> new Matcher(rules))
            .repartition(
                Repartitioned.with(KEYS, LINES)
                    .withName("matches")
                    .withNumberOfPartitions(number(properties, "bench.partitions")))
            .process(() -> new Counter(rate, prefix), STORE)
            .to(properties.getProperty("bench.output"), Produced.with(KEYS, states));
        return builder.build(properties);
    }

    private static int number(Properties properties, String name) {
        return Integer.parseInt(properties.getProperty(name));
    }

    /** A line's data, behind its length. */
    private static ByteBuffer data(byte[] line) {
        ByteBuffer body = Avro.body(line);
        Avro.read(body);
        return body;
    }

    private static final class Matcher implements Processor<String, byte[], String, byte[]> {
        private final ShuffleRules rules;
        private ProcessorContext<String, byte[]> context;

        Matcher(ShuffleRules rules) {
            this.rules = rules;
        }

        @Override
        public void init(ProcessorContext<String, byte[]> context) {
            this.context = context;
        }

        @Override
        public void process(Record<String, byte[]> record) {
            ByteBuffer data = data(record.value());
            rules.match(data.getLong(), data.getLong(), rule -> context.forward(record.withKey(KEY + rule)));
        }
    }

    private static final class Counter implements Processor<String, byte[], String, ShuffleState> {
        private final int rate;
        private final int prefix;
        private ProcessorContext<String, ShuffleState> context;
        private KeyValueStore<String, ShuffleState> store;

        Counter(int rate, int prefix) {
            this.rate = rate;
            this.prefix = prefix;
        }

        @Override
        public void init(ProcessorContext<String, ShuffleState> context) {
            this.context = context;
            this.store = context.getStateStore(STORE);
        }

        @Override
        public void process(Record<String, byte[]> record) {
            ByteBuffer data = data(record.value());
            ShuffleState state = store.get(record.key());
            if (state == null) {
                int rule = Integer.parseInt(record.key(), KEY.length(), record.key().length(), 10);
                state = new ShuffleState(ShuffleRules.firstCount(rule, rate));
            }
            state.count++;
            state.sum += data.getLong(data.position());
            if (state.count == 1) {
                state.start = record.timestamp();
            }
            state.end = record.timestamp();
            state.prefix = new byte[prefix];
            data.get(state.prefix);
            if (state.count == rate) {
                context.forward(record.withValue(state));
                state = new ShuffleState(0);
            }
            store.put(record.key(), state);
        }
    }
}
