package skulk.http.operator;

import java.util.Collection;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import skulk.api.json.JsonObject;
import skulk.api.json.Records;
import skulk.api.operation.Operation.Span;
import skulk.api.operation.Operation.Trace;

/** Sums up a trace by category, for all ranks and for each (contract section 12). Times are microseconds. */
final class TraceStats {
    private TraceStats() {}

    static JsonObject of(Trace trace) {
        List<Span> spans = trace.spans();
        JsonObject.Builder ranks = JsonObject.builder();
        new TreeMap<>(spans.stream().collect(Collectors.groupingBy(Span::rank)))
                .forEach((rank, of) -> ranks.put(rank.toString(), JsonObject.of("byCategory", byCategory(of))));
        return JsonObject.builder()
                .put("taskId", trace.info().taskId())
                .put("totalWallTimeUs", wallTime(spans))
                .put("byCategory", byCategory(spans))
                .put("byRank", ranks.build())
                .put("sourceNodes", Records.toJson(trace.info().sourceNodes()))
                .build();
    }

    /** From the first start to the last end. */
    private static long wallTime(Collection<Span> spans) {
        long start = spans.stream().mapToLong(Span::startUs).min().orElse(0);
        long end = spans.stream()
                .mapToLong(s -> s.startUs() + s.durationUs())
                .max()
                .orElse(0);
        return end - start;
    }

    private static JsonObject byCategory(Collection<Span> spans) {
        Map<String, LongSummaryStatistics> sums = spans.stream()
                .collect(Collectors.groupingBy(
                        Span::category, TreeMap::new, Collectors.summarizingLong(Span::durationUs)));
        JsonObject.Builder all = JsonObject.builder();
        sums.forEach((category, sum) -> all.put(
                category,
                JsonObject.builder()
                        .put("totalUs", sum.getSum())
                        .put("count", sum.getCount())
                        .put("minUs", sum.getMin())
                        .put("maxUs", sum.getMax())
                        .put("avgUs", sum.getAverage())
                        .build()));
        return all.build();
    }
}
