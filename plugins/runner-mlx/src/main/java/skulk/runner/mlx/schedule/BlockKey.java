package skulk.runner.mlx.schedule;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;

/**
 * Names the content of one full cache block and of everything before it: half of a SHA-256 over the parent's key and
 * the block's tokens. Two prompts share a key exactly when they agree up to the end of the block.
 */
record BlockKey(long high, long low) {
    private static final BlockKey ROOT = new BlockKey(0, 0);

    /** The keys of the full blocks among the first {@code length} tokens, continuing {@code known}. */
    static List<BlockKey> chain(List<BlockKey> known, int[] tokens, int length, int blockSize) {
        List<BlockKey> keys = new ArrayList<>(known);
        MessageDigest digest = sha256();
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(Integer.BYTES, blockSize) + 2 * Long.BYTES);
        while ((keys.size() + 1) * blockSize <= length) {
            BlockKey parent = keys.isEmpty() ? ROOT : keys.getLast();
            bytes.clear().putLong(parent.high).putLong(parent.low);
            for (int i = keys.size() * blockSize; i < (keys.size() + 1) * blockSize; i++) {
                bytes.putInt(tokens[i]);
            }
            ByteBuffer hash = ByteBuffer.wrap(digest.digest(bytes.array()));
            keys.add(new BlockKey(hash.getLong(), hash.getLong()));
        }
        return keys;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
