package skulk.kernel.security;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.Socket;
import java.nio.file.attribute.FileTime;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;

/**
 * The node's key and certificate, read again when their files have changed: a handshake looks, at most every few seconds, so that a renewed certificate counts
 * without a restart and without a thread that watches. Files that do not fit leave the old ones in use. Aliases name the generation of the files, so that a
 * handshake that began with one gets its key and its certificate. Safe for use by several threads.
 */
final class ReloadingKeys extends X509ExtendedKeyManager {
    private static final System.Logger LOG = System.getLogger(ReloadingKeys.class.getName());
    private static final long PERIOD_NANOS = Duration.ofSeconds(2).toNanos();

    private final TlsFiles files;
    private final LongSupplier nanoTime;
    private final ReentrantLock looking = new ReentrantLock();
    private volatile Generation current;
    private volatile Generation previous;
    private long looked;

    private record Generation(int number, List<FileTime> changed, X509ExtendedKeyManager keys) {
        String name(String alias) {
            return alias == null ? null : number + "/" + alias;
        }
    }

    /** @throws IOException where the files do not fit */
    ReloadingKeys(TlsFiles files, LongSupplier nanoTime) throws IOException {
        this.files = files;
        this.nanoTime = nanoTime;
        X509ExtendedKeyManager loaded = files.load();
        this.current = new Generation(0, files.changed(), loaded);
        this.previous = current;
        this.looked = nanoTime.getAsLong();
    }

    private Generation fresh() {
        if (looking.tryLock()) { // one handshake looks; the others go on with what there is
            try {
                if (nanoTime.getAsLong() - looked >= PERIOD_NANOS) {
                    looked = nanoTime.getAsLong();
                    reload();
                }
            } finally {
                looking.unlock();
            }
        }
        return current;
    }

    private void reload() {
        try {
            List<FileTime> changed = files.changed();
            if (!changed.equals(current.changed())) {
                Generation next = new Generation(current.number() + 1, changed, files.load());
                previous = current;
                current = next;
                LOG.log(Level.INFO, "The certificate of the API was read again from {0}", files.certificates());
            }
        } catch (IOException e) {
            LOG.log(
                    Level.WARNING,
                    "The certificate of the API has changed but cannot be used; the old one stays: {0}",
                    e.getMessage());
        }
    }

    private Generation of(String alias) {
        Generation newest = current;
        return alias.startsWith(newest.number() + "/") ? newest : previous;
    }

    private static String within(String alias) {
        return alias.substring(alias.indexOf('/') + 1);
    }

    @Override
    public String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
        Generation now = fresh();
        return now.name(now.keys().chooseEngineServerAlias(keyType, issuers, engine));
    }

    @Override
    public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
        Generation now = fresh();
        return now.name(now.keys().chooseServerAlias(keyType, issuers, socket));
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        return of(alias).keys().getCertificateChain(within(alias));
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return of(alias).keys().getPrivateKey(within(alias));
    }

    @Override
    public String[] getServerAliases(String keyType, Principal[] issuers) {
        Generation now = current;
        String[] aliases = now.keys().getServerAliases(keyType, issuers);
        return aliases == null
                ? null
                : java.util.Arrays.stream(aliases).map(now::name).toArray(String[]::new);
    }

    @Override
    public String[] getClientAliases(String keyType, Principal[] issuers) {
        return new String[0];
    }

    @Override
    public String chooseClientAlias(String[] keyType, Principal[] issuers, Socket socket) {
        return null; // the node calls nobody with this key
    }
}
