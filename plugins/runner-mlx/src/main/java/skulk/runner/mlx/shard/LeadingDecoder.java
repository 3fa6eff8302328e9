package skulk.runner.mlx.shard;

import skulk.runner.mlx.model.Batch;
import skulk.runner.mlx.model.Decoder;
import skulk.runner.mlx.model.DecoderSpec;
import skulk.runner.mlx.model.KvPool;
import skulk.runner.mlx.model.Logits;

/** Rank 0's decoder, which ends its group when it is closed. */
record LeadingDecoder(Decoder decoder, RankGroup group) implements Decoder {
    @Override
    public DecoderSpec spec() {
        return decoder.spec();
    }

    @Override
    public KvPool cache() {
        return decoder.cache();
    }

    @Override
    public void forward(Batch batch, Logits logits) {
        decoder.forward(batch, logits);
    }

    @Override
    public Pending begin(Batch batch) {
        return decoder.begin(batch);
    }

    @Override
    public void hidden(Batch batch, Logits states) {
        decoder.hidden(batch, states);
    }

    @Override
    public void close() {
        group.close();
        decoder.close();
    }
}
