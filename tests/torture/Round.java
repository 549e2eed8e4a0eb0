/* One round of work for torture.sh: compiled code, garbage collection, threads. */
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

public class Round {
	public static void main(String[] args) throws Exception {
		long sum = IntStream.range(0, 2000000).parallel().mapToLong(n -> n * 7919L % 1000003).sum();
		Map<String, Integer> seen = new TreeMap<>();
		List<byte[]> kept = new ArrayList<>();
		Thread[] threads = new Thread[50];

		for (int n = 0; n < 300000; n++)
			seen.merge(Integer.toHexString(n * 7919 % 1009), 1, Integer::sum);
		for (int n = 0; n < 20000; n++) {
			byte[] block = new byte[4096];
			if (n % 100 == 0)
				kept.add(block);
		}
		for (int i = 0; i < threads.length; i++)
			(threads[i] = new Thread(() -> { })).start();
		for (Thread thread : threads)
			thread.join();
		System.out.println(sum + " " + seen.hashCode() + " " + kept.size());
	}
}
