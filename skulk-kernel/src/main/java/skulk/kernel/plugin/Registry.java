package skulk.kernel.plugin;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** The one owner of what plugins offer. Readers take the newest {@link Offers} with one volatile read; safe for use by several threads. */
public final class Registry {
    private final List<Consumer<Offers>> listeners = new CopyOnWriteArrayList<>();
    private volatile Offers offers = Offers.NONE;

    /** The newest offers. */
    public Offers offers() {
        return offers;
    }

    /** Hears of every later change, on the thread that makes it, before withdrawn offers are stopped. */
    public void onChange(Consumer<Offers> listener) {
        listeners.add(listener);
    }

    /** Replaces the offers, whole. */
    public synchronized void publish(Offers next) {
        offers = next;
        listeners.forEach(listener -> listener.accept(next));
    }
}
