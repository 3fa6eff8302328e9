package skulk.kernel.http;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import skulk.api.HttpFeature;
import skulk.api.http.Route;

/** A feature while it is mounted, with the number of requests it is at work on, so that it can be drained. */
final class Mount {
    private final HttpFeature feature;
    private final List<Route> routes;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();
    private int active;

    Mount(HttpFeature feature, List<Route> routes) {
        this.feature = feature;
        this.routes = List.copyOf(routes);
    }

    HttpFeature feature() {
        return feature;
    }

    List<Route> routes() {
        return routes;
    }

    void enter() {
        lock.lock();
        try {
            active++;
        } finally {
            lock.unlock();
        }
    }

    void leave() {
        lock.lock();
        try {
            active--;
            if (active == 0) {
                idle.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits until no request is at work; false where that took too long. */
    boolean awaitIdle(Duration patience) throws InterruptedException {
        long left = patience.toNanos();
        lock.lock();
        try {
            while (active > 0) {
                if (left <= 0) {
                    return false;
                }
                left = idle.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }
}
