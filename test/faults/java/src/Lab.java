// Owns a Java app over the JDK's own server: two accounts locked in two orders, and a cache without an end.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;

public class Lab {
    static final Object LEFT = new Object(), RIGHT = new Object();
    static final List<byte[]> CACHE = new ArrayList<>();

    static void move(Object first, Object second) throws InterruptedException {
        synchronized (first) { Thread.sleep(200); synchronized (second) { Thread.sleep(1); } }
    }

    static void answer(HttpExchange exchange, int status) throws java.io.IOException {
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
        var pool = Executors.newFixedThreadPool(8);
        server.setExecutor(pool);
        server.createContext("/", e -> answer(e, 200));
        server.createContext("/in", e -> { try { move(LEFT, RIGHT); } catch (InterruptedException x) { throw new RuntimeException(x); } answer(e, 200); });
        server.createContext("/out", e -> { try { move(RIGHT, LEFT); } catch (InterruptedException x) { throw new RuntimeException(x); } answer(e, 200); });
        server.createContext("/sum", e -> { try { Thread.sleep(1500); pool.submit(() -> 1).get(); } catch (InterruptedException | java.util.concurrent.ExecutionException x) { throw new RuntimeException(x); } answer(e, 200); });
        server.createContext("/cache", e -> {
            try { synchronized (CACHE) { CACHE.add(new byte[4_000_000]); } answer(e, 200); }
            catch (OutOfMemoryError x) { System.err.println(java.time.Instant.now() + " ERROR GET /cache"); x.printStackTrace(); answer(e, 500); }
        });
        server.start();
    }
}
