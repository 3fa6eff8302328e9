package skulk.api.placement;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import skulk.api.cluster.ClusterView;
import skulk.api.cluster.InstanceMeta;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.NodeInfo;
import skulk.api.cluster.PlacementDecision;
import skulk.api.cluster.PlacementDecision.Forecast;
import skulk.api.cluster.PlacementDecision.Place;
import skulk.api.cluster.PlacementDecision.Refuse;
import skulk.api.cluster.PlacementDecision.Wait;
import skulk.api.cluster.PlacementRequest;
import skulk.api.cluster.Shard;
import skulk.api.model.ModelCard;

/**
 * Places a model: candidates, exclusions, memory, preference (contract section 9), with the strategy's {@link Layout} deciding how the model is cut.
 * One use per decision; not thread-safe.
 *
 * <p>Candidates are single nodes and simple directed cycles. The smallest number of nodes that fits wins; among equals those that hold a leaf of the
 * topology, then the best backend, the most bytes already downloaded, the most free memory, the eldest members. One node is always whole layers,
 * whatever was asked. Going beyond the contract: single nodes predicted to be slower than the fastest one that fits are passed over.
 */
public final class Placing {
    /** Predictions closer than this are taken as equal. */
    private static final double SPEED_TOLERANCE = 0.95;

    private final PlacementRequest request;
    private final ClusterView cluster;
    private final Layout layout;
    private final ModelCard card;
    private final ModelDemand demand;
    private final SpeedModel speed;
    private final Refusals refusals;
    private final List<NodeId> nodes;
    private final Map<NodeId, NodeBudget> budgets = new HashMap<>();
    private final Set<NodeId> unknownMemory = new TreeSet<>(Comparator.comparing(NodeId::value));
    private boolean needsRdma;
    private int indivisible;

    private Placing(PlacementRequest request, ClusterView cluster, Layout layout) {
        this.request = request;
        this.cluster = cluster;
        this.layout = layout;
        card = request.card();
        demand = ModelDemand.of(card);
        speed = new SpeedModel(card, cluster);
        refusals = new Refusals(request, cluster);
        Set<NodeId> all = new LinkedHashSet<>(cluster.members());
        all.addAll(cluster.topology().nodes());
        nodes = List.copyOf(all);
        for (NodeId node : nodes) {
            info(node).flatMap(NodeBudget::of).ifPresent(budget -> budgets.put(node, budget));
        }
    }

    /** The decision; a pure function of its arguments. */
    public static PlacementDecision decide(PlacementRequest request, ClusterView cluster, Layout layout) {
        return new Placing(request, cluster, layout).decide();
    }

    private PlacementDecision decide() {
        Optional<String> never = layout.refusal(card);
        if (never.isPresent()) {
            return new Refuse(never.get());
        }
        if (card.embeds() && request.minNodes() > 1) {
            return new Refuse(refusals.embeds());
        }
        if (nodes.size() < request.minNodes()) {
            return new Refuse(refusals.tooFewNodes(nodes.size()));
        }
        List<NodeId> allowed = nodes.stream().filter(this::allowed).toList();
        List<NodeId> able = allowed.stream().filter(this::able).toList();
        RingSearch search = new RingSearch(mostMemoryFirst(able), cluster.topology());
        if (!search.anyOfAtLeast(request.minNodes())) {
            return nothingConnected(allowed);
        }
        List<Misfit> misfits = new ArrayList<>();
        for (int size = request.minNodes(); size <= widest(search); size++) {
            List<Candidate> fitting = new ArrayList<>();
            Optional<Misfit> nearest = fitting(search.rings(size), fitting);
            if (!fitting.isEmpty()) {
                return place(choose(fitting));
            }
            nearest.ifPresent(misfits::add);
        }
        return nothingFits(misfits);
    }

    /** Encoders of texts are small, and not worth a split. */
    private int widest(RingSearch search) {
        return card.embeds() ? 1 : search.size();
    }

    private PlacementDecision nothingConnected(List<NodeId> allowed) {
        int least = request.minNodes();
        if (!new RingSearch(mostMemoryFirst(nodes), cluster.topology()).anyOfAtLeast(least)) {
            return least > RingSearch.MAX_NODES
                    ? new Refuse(refusals.tooManyNodes())
                    : new Wait(refusals.notConnected(nodes.size()));
        }
        boolean byExclusion = !new RingSearch(mostMemoryFirst(allowed), cluster.topology()).anyOfAtLeast(least);
        if (byExclusion && allowed.size() >= least && least <= RingSearch.MAX_NODES) {
            // the nodes that remain are enough; the connections between them may still be unknown
            return new Wait(refusals.notConnected(allowed.size()));
        }
        return new Refuse(
                byExclusion
                        ? refusals.excluded(nodes.size() - allowed.size())
                        : refusals.unable(allowed.stream().filter(n -> !able(n)).toList()));
    }

    private PlacementDecision nothingFits(List<Misfit> misfits) {
        if (!unknownMemory.isEmpty()) {
            return new Wait(refusals.memoryUnknown(unknownMemory));
        }
        if (!misfits.isEmpty()) {
            return new Refuse(refusals.memory(misfits));
        }
        return new Refuse(needsRdma ? refusals.rdma() : layout.indivisible(card, indivisible));
    }

    // ---- who may take part

    private boolean allowed(NodeId node) {
        return !request.excluded().contains(node)
                && request.only().map(set -> set.contains(node)).orElse(true);
    }

    /** Nodes that only manage take no ranks, and a card may name the engines that can run it. */
    private boolean able(NodeId node) {
        Optional<NodeInfo.Resources> resources = info(node).flatMap(NodeInfo::resources);
        boolean takes = resources.map(NodeInfo.Resources::takesRanks).orElse(true);
        List<String> engines =
                card.placement().map(ModelCard.Placement::compatibleBackends).orElse(List.of());
        List<String> offered = resources.map(NodeInfo.Resources::backends).orElse(List.of());
        boolean runs =
                engines.isEmpty() || offered.isEmpty() || offered.stream().anyMatch(engines::contains);
        return takes && runs;
    }

    /** Only matters beyond the search's limit; up to it the order is the members' own. */
    private List<NodeId> mostMemoryFirst(List<NodeId> some) {
        if (some.size() <= RingSearch.MAX_NODES) {
            return some;
        }
        return some.stream()
                .sorted(Comparator.comparingLong((NodeId n) -> -usable(n)))
                .toList();
    }

    // ---- what fits

    /** @param parts rank by rank */
    private record Candidate(List<Part> parts, Forecast forecast) {
        List<NodeId> nodes() {
            return parts.stream().map(Part::node).toList();
        }
    }

    /** Parts of which some do not fit; {@code shortfall} is the worst ratio of need to budget. */
    record Misfit(List<Part> parts, Map<NodeId, NodeBudget> budgets, double shortfall) {}

    /** Collects the rings that fit and answers the one nearest to fitting of the others. */
    private Optional<Misfit> fitting(List<List<NodeId>> rings, List<Candidate> fitting) {
        Misfit nearest = null;
        for (List<NodeId> ring : rings) {
            Optional<List<Part>> parts = parts(ring);
            if (parts.isEmpty()) {
                continue;
            }
            double worst = shortfall(parts.get());
            if (worst <= 1) {
                fitting.add(new Candidate(parts.get(), forecast(parts.get())));
            } else if (nearest == null || worst < nearest.shortfall()) {
                nearest = new Misfit(parts.get(), Map.copyOf(budgets), worst);
            }
        }
        return Optional.ofNullable(nearest);
    }

    private Optional<List<Part>> parts(List<NodeId> ring) {
        if (ring.size() > 1 && request.meta() == InstanceMeta.MLX_JACCL) {
            // no node reports RDMA links yet, so no cycle is connected by them
            needsRdma = true;
            return Optional.empty();
        }
        List<NodeId> unknown =
                ring.stream().filter(n -> !budgets.containsKey(n)).toList();
        if (!unknown.isEmpty()) {
            unknownMemory.addAll(unknown);
            return Optional.empty();
        }
        if (ring.size() == 1) {
            Shard whole = Shard.PipelineShardMetadata.all(card);
            return Optional.of(List.of(new Part(ring.getFirst(), 1, whole)));
        }
        Optional<List<Part>> parts = layout.split(card, ring, this::usable, speed);
        if (parts.isEmpty()) {
            indivisible = indivisible == 0 ? ring.size() : indivisible;
        }
        return parts;
    }

    private double shortfall(List<Part> parts) {
        return parts.stream()
                .mapToDouble(p -> (double) demand.required(p.share()) / Math.max(1, usable(p.node())))
                .max()
                .orElseThrow();
    }

    private Forecast forecast(List<Part> parts) {
        return parts.size() == 1 ? speed.pipeline(parts) : layout.forecast(parts, speed);
    }

    // ---- which one

    private Candidate choose(List<Candidate> fitting) {
        List<Candidate> left = fitting.getFirst().parts().size() == 1 ? fast(fitting) : fitting;
        List<Candidate> leaves = left.stream()
                .filter(c -> c.nodes().stream()
                        .anyMatch(n -> cluster.topology().neighbours(n).size() <= 1))
                .toList();
        left = leaves.isEmpty() ? left : leaves;
        // the list is in the members' order and max keeps the first of equals, so the eldest win
        return left.stream()
                .max(Comparator.comparingDouble((Candidate c) -> total(c, this::backendScore))
                        .thenComparingDouble(c -> total(c, this::downloaded))
                        .thenComparingDouble(c -> total(c, this::available)))
                .orElseThrow();
    }

    private static List<Candidate> fast(List<Candidate> singles) {
        double best = singles.stream()
                .mapToDouble(c -> c.forecast().tokensPerSecond())
                .max()
                .orElse(0);
        return singles.stream()
                .filter(c -> c.forecast().tokensPerSecond() >= best * SPEED_TOLERANCE)
                .toList();
    }

    private static double total(Candidate candidate, java.util.function.ToDoubleFunction<NodeId> score) {
        return candidate.nodes().stream().mapToDouble(score).sum();
    }

    /** The earlier a node's best engine stands in the card's preference, the higher. */
    private double backendScore(NodeId node) {
        List<String> preferred =
                card.placement().map(ModelCard.Placement::backendPreference).orElse(List.of());
        List<String> offered = info(node)
                .flatMap(NodeInfo::resources)
                .map(NodeInfo.Resources::backends)
                .orElse(List.of());
        for (int i = 0; i < preferred.size(); i++) {
            if (offered.contains(preferred.get(i))) {
                return preferred.size() - i;
            }
        }
        return 0;
    }

    private double downloaded(NodeId node) {
        return Downloads.fraction(cluster.downloads().getOrDefault(node, List.of()), card.modelId());
    }

    private double available(NodeId node) {
        return info(node)
                .flatMap(NodeInfo::memory)
                .map(m -> (double) m.ramAvailable().inBytes())
                .orElse(0.0);
    }

    // ---- the answer

    private Place place(Candidate chosen) {
        Optional<Integer> limit = contextLimit(chosen.parts());
        return new Place(
                InstanceBuilder.ring(request, chosen.parts(), limit, cluster.topology()),
                evenly(demand.weights(), chosen.nodes()),
                chosen.forecast());
    }

    /** Contract section 9.3. */
    private Optional<Integer> contextLimit(List<Part> parts) {
        long limit = ModelDemand.cardContext(card);
        for (Part part : parts) {
            Optional<Long> room =
                    demand.contextTokens(part.share(), budgets.get(part.node()).ceiling());
            limit = Math.min(limit, room.orElse(Long.MAX_VALUE));
        }
        return limit == Long.MAX_VALUE ? Optional.empty() : Optional.of((int) Math.min(Integer.MAX_VALUE, limit));
    }

    /** Contract section 2: even over the sorted ids, the remainder one byte each to the first. */
    private static Map<NodeId, Long> evenly(long bytes, List<NodeId> nodes) {
        List<NodeId> sorted =
                nodes.stream().sorted(Comparator.comparing(NodeId::value)).toList();
        return sorted.stream()
                .collect(Collectors.toMap(
                        n -> n, n -> bytes / sorted.size() + (sorted.indexOf(n) < bytes % sorted.size() ? 1 : 0)));
    }

    private Optional<NodeInfo> info(NodeId node) {
        return Optional.ofNullable(cluster.nodes().get(node));
    }

    private long usable(NodeId node) {
        return Optional.ofNullable(budgets.get(node)).map(NodeBudget::usable).orElse(0L);
    }
}
