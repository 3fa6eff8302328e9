package skulk.kernel.security;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import skulk.api.Inference;
import skulk.api.generation.EmbeddingRequest;
import skulk.api.generation.GenerationEvent;
import skulk.api.generation.GenerationRequest;

/**
 * Inference within the limits of the key that asks, which requests carry as their client. What plugins are lent; adds nothing to the path of a token but a
 * count.
 */
public final class MeteredInference implements Inference {
    private final Inference inference;
    private final Quotas quotas;

    public MeteredInference(Inference inference, Quotas quotas) {
        this.inference = inference;
        this.quotas = quotas;
    }

    @Override
    public Generating generate(GenerationRequest request) {
        Quotas.Ticket ticket = quotas.admit(request.client());
        try {
            return new Metered(inference.generate(request), ticket);
        } catch (RuntimeException e) {
            ticket.close(0);
            throw e;
        }
    }

    @Override
    public EmbeddingRequest.Embeddings embed(EmbeddingRequest request) {
        Quotas.Ticket ticket = quotas.admit(request.client());
        long tokens = 0;
        try {
            EmbeddingRequest.Embeddings made = inference.embed(request);
            tokens = made.promptTokens();
            return made;
        } finally {
            ticket.close(tokens);
        }
    }

    @Override
    public int countTokens(GenerationRequest request) {
        Quotas.Ticket ticket = quotas.admit(request.client());
        try {
            return inference.countTokens(request);
        } finally {
            ticket.close(0);
        }
    }

    /** Counts what goes by; one that is closed early pays for what was computed until then, as far as it was told. */
    private static final class Metered implements Generating {
        private final Generating generating;
        private final Quotas.Ticket ticket;
        private final AtomicLong prompt = new AtomicLong();
        private final AtomicLong committed = new AtomicLong();
        private final AtomicLong pieces = new AtomicLong();

        Metered(Generating generating, Quotas.Ticket ticket) {
            this.generating = generating;
            this.ticket = ticket;
        }

        @Override
        public Optional<GenerationEvent> next(Duration patience) throws InterruptedException {
            Optional<GenerationEvent> event = generating.next(patience);
            event.ifPresent(this::count);
            return event;
        }

        private void count(GenerationEvent event) {
            switch (event) {
                case GenerationEvent.Accepted accepted -> prompt.set(accepted.promptTokens());
                case GenerationEvent.Committed tokens ->
                    committed.addAndGet(tokens.tokens().size());
                case GenerationEvent.Text text -> pieces.incrementAndGet();
                case GenerationEvent.ToolCallDelta delta -> pieces.incrementAndGet();
                case GenerationEvent.Finished finished ->
                    ticket.close((long) finished.usage().promptTokens()
                            + finished.usage().completionTokens());
                case GenerationEvent.Failed failed -> ticket.close(soFar());
                case GenerationEvent.Prefill prefill -> {}
            }
        }

        private long soFar() {
            return prompt.get() + Math.max(committed.get(), pieces.get());
        }

        @Override
        public void close() {
            try {
                generating.close();
            } finally {
                ticket.close(soFar());
            }
        }
    }
}
