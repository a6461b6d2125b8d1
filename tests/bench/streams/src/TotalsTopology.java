import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Count, sum and last by key, each way that Kafka Streams has to say it. */
final class TotalsTopology {
    private static final String STORE = "totals";
    private static final Serde<String> KEYS = Serdes.String();
    private static final Serde<byte[]> READINGS = Serdes.ByteArray();

    private TotalsTopology() {}

    static Topology build(String api, String input, String output, byte[] frame, Properties properties) {
        Serde<Total> totals = Total.serde(frame);
        switch (api) {
            case "processor":
                return processor(input, output, totals);
            case "dsl":
                return dsl(input, output, totals, properties);
            default:
                throw new IllegalArgumentException("api is processor or dsl, not " + api);
        }
    }

    private static Topology processor(String input, String output, Serde<Total> totals) {
        // The cache only holds something where its size is above 0.
        StoreBuilder<KeyValueStore<String, Total>> store =
            Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), KEYS, totals).withCachingEnabled();
        return new Topology()
            .addSource("readings", KEYS.deserializer(), READINGS.deserializer(), input)
            .addProcessor("add", Adder::new, "readings")
            .addStateStore(store, "add")
            .addSink("totals", output, KEYS.serializer(), totals.serializer(), "add");
    }

    private static Topology dsl(String input, String output, Serde<Total> totals, Properties properties) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(input, Consumed.with(KEYS, READINGS))
            .groupByKey()
            .aggregate(
                Total::new,
                (key, reading, total) -> total.add(Avro.read(Avro.body(reading))),
                Materialized.<String, Total, KeyValueStore<Bytes, byte[]>>as(STORE)
                    .withKeySerde(KEYS)
                    .withValueSerde(totals))
            .toStream()
            .to(output, Produced.with(KEYS, totals));
        return builder.build(properties);
    }

    private static final class Adder implements Processor<String, byte[], String, Total> {
        private ProcessorContext<String, Total> context;
        private KeyValueStore<String, Total> store;

        @Override
        public void init(ProcessorContext<String, Total> context) {
            this.context = context;
            this.store = context.getStateStore(STORE);
        }

        @Override
        public void process(Record<String, byte[]> record) {
            Total total = store.get(record.key());
            if (total == null) {
                total = new Total();
            }
            total.add(Avro.read(Avro.body(record.value())));
            store.put(record.key(), total);
            context.forward(record.withValue(total));
        }
    }
}
