package skulk.api.placement;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.PlacementDecision.Forecast;
import skulk.api.cluster.Topology;
import skulk.api.model.ModelCard;

/**
 * Predicts speed from what nodes and links measured. Decoding one token reads every weight once, so its time is bytes over bandwidth; reading a prompt
 * is bound by arithmetic. Ranks of a pipeline take turns (times add up); ranks of a tensor split work at the same time (the slowest decides) and
 * exchange a vector twice per layer.
 *
 * <p>Where a node's bandwidth or a link's latency has not been measured, the forecast is 0 rather than a guess.
 */
public final class SpeedModel {
    /** Tokens of the prompt that {@link Forecast#firstTokenSeconds()} is given for. */
    public static final int PROMPT_TOKENS = 512;

    /** The part of a node's read bandwidth that the quantised matrix-vector kernels reach: 26–31 of 48 GB/s on two Zen 4 cores. */
    private static final double DECODE_EFFICIENCY = 0.60;

    /** Multiply-adds per second and thread of the prompt kernels, measured on the same cores. */
    private static final double PROMPT_MACS_PER_THREAD = 30e9;

    /** What a layer costs beside its weights: starting its kernels and attention over a short context. */
    private static final double LAYER_SECONDS = 20e-6;

    private static final int EXCHANGES_PER_LAYER = 2;
    private static final Pattern ACTIVE_OF_TOTAL = Pattern.compile("-(\\d+(?:\\.\\d+)?)b-a(\\d+(?:\\.\\d+)?)b");
    private static final Pattern BITS = Pattern.compile("(\\d+)[-_ ]?bit");

    private final ModelCard card;
    private final ClusterView cluster;

    public SpeedModel(ModelCard card, ClusterView cluster) {
        this.card = card;
        this.cluster = cluster;
    }

    /** Stages one after the other, a hop between each and one back to the first. */
    public Forecast pipeline(List<Part> parts) {
        OptionalDouble read = sum(parts, p -> seconds(p, 1));
        OptionalDouble prompt = sum(parts, p -> promptSeconds(p));
        OptionalDouble hops = hops(parts, 1);
        OptionalDouble promptHops = hops(parts, PROMPT_TOKENS);
        return forecast(parts, add(read, hops), add(prompt, promptHops));
    }

    /** All ranks at once, joined after attention and after the feed-forward part of each layer. */
    public Forecast tensor(List<Part> parts) {
        OptionalDouble read = max(parts, p -> seconds(p, 1));
        OptionalDouble prompt = max(parts, p -> promptSeconds(p));
        return forecast(parts, add(read, exchanges(parts, 1)), add(prompt, exchanges(parts, PROMPT_TOKENS)));
    }

    private Forecast forecast(List<Part> parts, OptionalDouble step, OptionalDouble prompt) {
        ModelDemand demand = ModelDemand.of(card);
        Map<NodeId, Long> required = new HashMap<>();
        parts.forEach(p -> required.put(p.node(), demand.required(p.share())));
        OptionalDouble first = add(prompt, step);
        return new Forecast(step.isPresent() ? 1 / step.getAsDouble() : 0, first.orElse(0), required);
    }

    /** Seconds to read a part's weights once; NaN where the node has not measured. */
    private double seconds(Part part, double times) {
        double bandwidth = resources(part.node()).readBandwidth();
        double layers = part.shard().endLayer() - part.shard().startLayer();
        return bandwidth <= 0
                ? Double.NaN
                : times * (activeBytes() * part.share() / (bandwidth * DECODE_EFFICIENCY) + layers * LAYER_SECONDS);
    }

    private double promptSeconds(Part part) {
        int threads = resources(part.node()).threads();
        double macs = activeBytes() / bytesPerWeight() * part.share() * PROMPT_TOKENS;
        return threads <= 0 ? Double.NaN : macs / (threads * PROMPT_MACS_PER_THREAD);
    }

    private NodeInfo.Resources resources(NodeId node) {
        return java.util.Optional.ofNullable(cluster.nodes().get(node))
                .flatMap(NodeInfo::resources)
                .orElse(new NodeInfo.Resources(List.of(), "full", "tcp", 0, 0));
    }

    private OptionalDouble hops(List<Part> parts, int tokens) {
        double total = 0;
        for (int i = 0; parts.size() > 1 && i < parts.size(); i++) {
            boolean last = i == parts.size() - 1;
            NodeId next = parts.get((i + 1) % parts.size()).node();
            // the last stage returns one hidden state, whatever the number of tokens read
            total += hop(parts.get(i).node(), next, last ? 1 : tokens);
        }
        return known(total);
    }

    private OptionalDouble exchanges(List<Part> parts, int tokens) {
        double slowest = 0;
        for (Part from : parts) {
            for (Part to : parts) {
                if (from != to
                        && !cluster.topology().edges(from.node(), to.node()).isEmpty()) {
                    slowest = Math.max(slowest, hop(from.node(), to.node(), tokens * (parts.size() - 1)));
                }
            }
        }
        return known(slowest * card.nLayers() * EXCHANGES_PER_LAYER);
    }

    /** Seconds to send the hidden states of some tokens: half a round trip and their bytes at the link's speed. */
    private double hop(NodeId from, NodeId to, int tokens) {
        Topology.Edge edge = cluster.topology().best(from, to).orElse(null);
        if (edge == null || edge.latencyMicros() <= 0) {
            return Double.NaN;
        }
        double bytes = (double) tokens * card.hiddenSize() * Float.BYTES;
        return edge.latencyMicros() / 2e6 + (edge.bytesPerSecond() > 0 ? bytes / edge.bytesPerSecond() : 0);
    }

    /** Bytes read per token. A mixture of experts reads its active ones only; by convention its name tells, as in {@code 30B-A3B}. */
    private double activeBytes() {
        Matcher name = ACTIVE_OF_TOTAL.matcher(card.modelId().value().toLowerCase(Locale.ROOT));
        double active = name.find() ? Double.parseDouble(name.group(2)) / Double.parseDouble(name.group(1)) : 1;
        return card.storageSize().inBytes() * Math.min(1, active);
    }

    /** Quantised weights carry a scale and a bias of 16 bits per group of 64. */
    private double bytesPerWeight() {
        Matcher bits = BITS.matcher(card.quantization().toLowerCase(Locale.ROOT));
        if (bits.find()) {
            return Double.parseDouble(bits.group(1)) / 8 + 4.0 / 64;
        }
        return card.quantization().toLowerCase(Locale.ROOT).contains("fp4") ? 17.0 / 32 : 2;
    }

    private static OptionalDouble sum(List<Part> parts, ToDoubleFunction<Part> time) {
        return known(parts.stream().mapToDouble(time).sum());
    }

    private static OptionalDouble max(List<Part> parts, ToDoubleFunction<Part> time) {
        return known(parts.stream().mapToDouble(time).reduce(0, Math::max));
    }

    private static OptionalDouble add(OptionalDouble a, OptionalDouble b) {
        return a.isPresent() && b.isPresent() ? known(a.getAsDouble() + b.getAsDouble()) : OptionalDouble.empty();
    }

    private static OptionalDouble known(double seconds) {
        return Double.isNaN(seconds) ? OptionalDouble.empty() : OptionalDouble.of(seconds);
    }
}
