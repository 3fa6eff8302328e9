package skulk.api.placement;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.PlacementDecision.Forecast;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Topology;
import skulk.api.model.ModelCard;

/**
 * Predicts speed from what nodes and links measured. Decoding one token goes through every weight once, with the rate that the engine's kernels have for weights of that
 * format; so does a prompt, with theirs for many rows. Ranks of a pipeline take turns (times add up); ranks of a tensor split work at the same time (the slowest decides)
 * and exchange a vector once for the embedding and twice per layer, and rank 0 collects the logits.
 *
 * <p>Until the engine has measured itself on a node, its speed there is derived from the node's read bandwidth. Where not even that or a link's latency has been
 * measured, the forecast is 0 rather than a guess.
 */
public final class SpeedModel {
    /** Tokens of the prompt that {@link Forecast#firstTokenSeconds()} is given for. */
    public static final int PROMPT_TOKENS = 512;

    /** The part of a node's read bandwidth that the quantised matrix-vector kernels reach, where they have not measured themselves. */
    private static final double DECODE_EFFICIENCY = 0.65;

    /** Multiply-adds per second and thread of the prompt kernels on Zen 4 cores, where they have not measured themselves. */
    private static final double PROMPT_MACS_PER_THREAD = 40e9;

    /** What a layer costs beside its weights, where the engine has not measured itself. */
    private static final double LAYER_SECONDS = 40e-6;

    /** Choosing a token and handing it out: the rank turns it into text and a frame, the node into a chunk. */
    private static final double TOKEN_SECONDS = 600e-6;

    /** The part of a machine's read bandwidth that the kernels of several ranks reach together. */
    private static final double SHARED_EFFICIENCY = 0.9;

    /**
     * What a token takes longer where ranks share a machine, with each other and with their nodes: ranks wait awake, so whatever the nodes do for a token takes a processor from one of them, and
     * the others wait for that one. Two nodes on two cores took 4.4 to 5.6 ms more than their kernels and links, with three models and both strategies ({@code docs/performance.md}, "Forecasts").
     */
    private static final double CROWDED_SECONDS = 4.5e-3;

    /** How long the engine lets a step of a prompt take on the slowest stage, and how many it makes of one at most. */
    private static final double PROMPT_STEP_SECONDS = 0.5;

    private static final double MOST_PROMPT_STEPS = PROMPT_TOKENS / 16.0;

    private static final int EXCHANGES_PER_LAYER = 2;

    /** The embedding, which is the output head as well, is about a fifth of a model of 1.2 billion parameters and less of larger ones; at most a quarter. */
    private static final double HEAD_SHARE = 0.2;

    private static final double HEAD_PARAMETERS = 1.2e9;
    private static final double MOST_HEAD = 0.25;
    private static final Pattern ACTIVE_OF_TOTAL = Pattern.compile("-(\\d+(?:\\.\\d+)?)b-a(\\d+(?:\\.\\d+)?)b");
    /** Mixtures of experts whose names do not tell how many are active: their forecast is a lower bound. */
    private static final Pattern MIXTURES = Pattern.compile("moe|mixtral|gpt[_-]?oss|deepseek");

    private static final Pattern BITS = Pattern.compile("(\\d+)[-_ ]?bit");

    private final ModelCard card;
    private final ClusterView cluster;

    public SpeedModel(ModelCard card, ClusterView cluster) {
        this.card = card;
        this.cluster = cluster;
    }

    /** Stages one after the other, a hop between each and one back to the first. */
    public Forecast pipeline(List<Part> parts) {
        OptionalDouble read = sum(parts, this::seconds);
        OptionalDouble prompt = overlapped(sum(parts, this::promptSeconds), max(parts, this::promptSeconds));
        OptionalDouble hops = hops(parts, 1);
        OptionalDouble promptHops = hops(parts, PROMPT_TOKENS);
        return forecast(parts, add(add(read, hops), crowded(parts)), add(prompt, promptHops));
    }

    /** Ranks that work at the same time on one machine share its memory, which may be all that one of them alone uses. */
    private double sharing(List<Part> parts) {
        double slowest = 0;
        for (Part part : parts) {
            List<Part> together = parts.stream()
                    .filter(other -> sameMachine(part.node(), other.node()))
                    .toList();
            double share = together.stream().mapToDouble(Part::share).sum();
            double bandwidth = resources(part.node()).readBandwidth() * SHARED_EFFICIENCY;
            boolean shared = together.size() > 1 && bandwidth > 0;
            slowest = Math.max(slowest, shared ? share * weights() * bytesPerWeight() / bandwidth : 0);
        }
        return slowest;
    }

    private OptionalDouble crowded(List<Part> parts) {
        boolean shared =
                parts.stream().anyMatch(a -> parts.stream().anyMatch(b -> a != b && sameMachine(a.node(), b.node())));
        return OptionalDouble.of(shared ? CROWDED_SECONDS : 0);
    }

    /** Nodes that tell the same addresses are processes of one machine. */
    private boolean sameMachine(NodeId a, NodeId b) {
        return a.equals(b) || !addresses(a).isEmpty() && addresses(a).equals(addresses(b));
    }

    private Set<String> addresses(NodeId node) {
        return Optional.ofNullable(cluster.nodes().get(node)).stream()
                .flatMap(info -> info.network().stream())
                .map(NodeInfo.NetworkInterface::ipAddress)
                .collect(Collectors.toSet());
    }

    /** A prompt is read in steps, and while a stage works on one, the stage before works on the next. */
    private static OptionalDouble overlapped(OptionalDouble all, OptionalDouble slowest) {
        if (all.isEmpty() || slowest.isEmpty()) {
            return OptionalDouble.empty();
        }
        double steps = Math.clamp(Math.ceil(slowest.getAsDouble() / PROMPT_STEP_SECONDS), 1, MOST_PROMPT_STEPS);
        return known((all.getAsDouble() + (steps - 1) * slowest.getAsDouble()) / steps);
    }

    /** All ranks at once, joined after attention and after the feed-forward part of each layer. */
    public Forecast tensor(List<Part> parts) {
        OptionalDouble alone = max(parts, this::seconds);
        OptionalDouble read = alone.isPresent() ? known(Math.max(alone.getAsDouble(), sharing(parts))) : alone;
        OptionalDouble prompt = max(parts, this::promptSeconds);
        OptionalDouble step = add(add(read, exchanges(parts, 1)), crowded(parts));
        return forecast(parts, step, add(prompt, exchanges(parts, PROMPT_TOKENS)));
    }

    private Forecast forecast(List<Part> parts, OptionalDouble step, OptionalDouble prompt) {
        ModelDemand demand = ModelDemand.of(card);
        Map<NodeId, Long> required = new HashMap<>();
        parts.forEach(p -> required.put(p.node(), demand.required(p.share())));
        OptionalDouble token = add(step, OptionalDouble.of(TOKEN_SECONDS));
        OptionalDouble first = add(prompt, token);
        return new Forecast(token.isPresent() ? 1 / token.getAsDouble() : 0, first.orElse(0), required);
    }

    /** Seconds of one token in a part; NaN where the node has not measured. */
    private double seconds(Part part) {
        double rate = rate(part.node());
        return rate <= 0
                ? Double.NaN
                : weights() * held(part) / rate + layers(part) * overhead(part.node(), heads(part));
    }

    /** Seconds of one token in one whole layer on a node; NaN where it has not measured. */
    public double layerSeconds(NodeId node) {
        double rate = rate(node);
        return rate <= 0 ? Double.NaN : weights() * (1 - headShare()) / card.nLayers() / rate + overhead(node, 1);
    }

    /** Seconds of one token in the output head on a node; NaN where it has not measured. */
    public double headSeconds(NodeId node) {
        double rate = rate(node);
        return rate <= 0 ? Double.NaN : weights() * headShare() / rate;
    }

    /** Multiply-adds per second in decoding, 0 where unknown. */
    private double rate(NodeId id) {
        NodeInfo.Resources node = resources(id);
        return node.engine()
                .map(e -> e.nearest((int) Math.round(bits()), dense()).decodeRate())
                .orElse(node.readBandwidth() * DECODE_EFFICIENCY / bytesPerWeight());
    }

    private static int layers(Part part) {
        return part.shard().endLayer() - part.shard().startLayer();
    }

    /** The share of a layer's attention that a part computes. */
    private static double heads(Part part) {
        return part.shard() instanceof Shard.TensorShardMetadata ? part.share() : 1;
    }

    /** Seconds of a layer beside its weights, behind a prompt of the usual length. */
    private double overhead(NodeId node, double heads) {
        return resources(node)
                .engine()
                .map(e -> e.layerSeconds() + heads * attended() / e.attentionRate())
                .orElse(LAYER_SECONDS);
    }

    /** Multiply-adds of one token's attention in one layer behind the prompt. */
    private double attended() {
        int width =
                card.placement().flatMap(ModelCard.Placement::attentionWidth).orElse(card.hiddenSize());
        return 2.0 * width * PROMPT_TOKENS;
    }

    /** Only the last token of a prompt goes through the output head. */
    private double promptSeconds(Part part) {
        NodeInfo.Resources node = resources(part.node());
        double rate = node.engine()
                .map(e -> e.nearest((int) Math.round(bits()), dense()).promptRate())
                .orElse(node.threads() * PROMPT_MACS_PER_THREAD);
        double macs = weights() * (1 - headShare()) * part.share() * PROMPT_TOKENS;
        // a token in the middle of the prompt attends to half of it
        double attended = attended() / 2 * PROMPT_TOKENS * heads(part) * layers(part);
        double attention = node.engine().map(e -> attended / e.attentionRate()).orElse(0.0);
        return rate <= 0 ? Double.NaN : macs / rate + attention;
    }

    /** A part's share of the weights in fact: the first rank of a pipeline has the output head beside its layers. */
    private double held(Part part) {
        if (part.shard() instanceof Shard.TensorShardMetadata) {
            return part.share();
        }
        return (1 - headShare()) * part.share() + (part.shard().deviceRank() == 0 ? headShare() : 0);
    }

    /** Weights that one token goes through. */
    private double weights() {
        return card.storageSize().inBytes() * activeShare() / bytesPerWeight();
    }

    private boolean dense() {
        String names = (card.family() + " " + card.modelId().value()).toLowerCase(Locale.ROOT);
        return activeShare() == 1 && !MIXTURES.matcher(names).find();
    }

    private double headShare() {
        double parameters = card.storageSize().inBytes() / bytesPerWeight();
        return Math.min(MOST_HEAD, HEAD_SHARE * Math.cbrt(HEAD_PARAMETERS / parameters));
    }

    private double vocabulary() {
        return card.storageSize().inBytes() / bytesPerWeight() * headShare() / card.hiddenSize();
    }

    private NodeInfo.Resources resources(NodeId node) {
        return Optional.ofNullable(cluster.nodes().get(node))
                .flatMap(NodeInfo::resources)
                .orElse(NodeInfo.Resources.unmeasured(List.of(), "full", 0));
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
        double logits = 0;
        double columns = vocabulary() / Math.max(1, card.hiddenSize()); // a share of the logits, in hidden states
        for (Part from : parts) {
            for (Part to : parts) {
                if (from != to
                        && !cluster.topology().edges(from.node(), to.node()).isEmpty()) {
                    slowest = Math.max(slowest, hop(from.node(), to.node(), tokens * (parts.size() - 1)));
                    logits = Math.max(logits, hop(from.node(), to.node(), columns));
                }
            }
        }
        return known(slowest * (1 + card.nLayers() * EXCHANGES_PER_LAYER) + logits);
    }

    /** Seconds to send the hidden states of some tokens: half a round trip and their bytes at the link's speed. */
    private double hop(NodeId from, NodeId to, double tokens) {
        Topology.Edge edge = cluster.topology().best(from, to).orElse(null);
        if (edge == null || edge.latencyMicros() <= 0) {
            return Double.NaN;
        }
        double bytes = tokens * card.hiddenSize() * Float.BYTES;
        return edge.latencyMicros() / 2e6 + (edge.bytesPerSecond() > 0 ? bytes / edge.bytesPerSecond() : 0);
    }

    /** The part of the weights that a token goes through. Of a mixture of experts the active ones only; by convention its name tells, as in {@code 30B-A3B}. */
    private double activeShare() {
        Matcher name = ACTIVE_OF_TOTAL.matcher(card.modelId().value().toLowerCase(Locale.ROOT));
        double active = name.find() ? Double.parseDouble(name.group(2)) / Double.parseDouble(name.group(1)) : 1;
        return Math.min(1, active);
    }

    private double bits() {
        Matcher bits = BITS.matcher(card.quantization().toLowerCase(Locale.ROOT));
        if (bits.find()) {
            return Double.parseDouble(bits.group(1));
        }
        return card.quantization().toLowerCase(Locale.ROOT).contains("fp4") ? 4 : 16;
    }

    /** Quantised weights carry a scale and a bias of 16 bits per group of 64, 4-bit floats a scale of 8 bits per group of 32. */
    private double bytesPerWeight() {
        double bits = bits();
        if (bits == 16) {
            return 2;
        }
        return card.quantization().toLowerCase(Locale.ROOT).contains("fp4") ? 17.0 / 32 : bits / 8 + 4.0 / 64;
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
