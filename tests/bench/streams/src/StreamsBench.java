import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.StateRestoreListener;

/**
 * A workload on Kafka Streams, until SIGTERM: {@code StreamsBench FILE.properties}.
 *
 * <p>Names that begin with {@code bench.} are this program's (workload, input, output, frame, and what a
 * topology asks for), all others are Kafka Streams' own. Prints a line {@code state STATE} at each change,
 * {@code restored N} when all is restored.
 */
public final class StreamsBench {
    private StreamsBench() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        Properties properties = new Properties();
        try (InputStream file = new FileInputStream(args[0])) {
            properties.load(file);
        }
        KafkaStreams streams = new KafkaStreams(topology(properties), properties);
        CountDownLatch ended = new CountDownLatch(1);
        AtomicLong restored = new AtomicLong();
        streams.setGlobalStateRestoreListener(new RestoreCount(restored));
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.RUNNING) {
                say("restored " + restored.get());
            }
            say("state " + now);
            if (now.hasCompletedShutdown()) {
                ended.countDown();
            }
        });
        streams.setUncaughtExceptionHandler(exception -> {
            exception.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        ended.await();
    }

    private static Topology topology(Properties properties) {
        String workload = properties.getProperty("bench.workload");
        byte[] frame = HexFormat.of().parseHex(properties.getProperty("bench.frame"));
        switch (workload) {
            case "totals":
                return TotalsTopology.build(
                    properties.getProperty("bench.api"),
                    properties.getProperty("bench.input"),
                    properties.getProperty("bench.output"),
                    frame,
                    properties);
            case "shuffle":
                return ShuffleTopology.build(properties, frame);
            default:
                throw new IllegalArgumentException("there is no workload " + workload);
        }
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private record RestoreCount(AtomicLong restored) implements StateRestoreListener {
        @Override
        public void onRestoreStart(TopicPartition partition, String store, long from, long to) {}

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long end, long n) {
            restored.addAndGet(n);
        }

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long total) {}
    }
}
