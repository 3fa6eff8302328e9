package skulk.api.cluster;

import java.util.List;

/**
 * A node's health as {@code /state} shows it (contract section 1).
 *
 * @param level {@code ok}, {@code warn} or {@code error}: the worst of the reasons
 */
public record NodeHealth(String level, List<Reason> reasons) {
    public NodeHealth {
        reasons = List.copyOf(reasons);
    }

    /** @param code {@code disk_full}, {@code disk_low}, {@code unreachable}, {@code download_failed}, {@code placement_refused}, … */
    public record Reason(String code, String message, String remediation) {}
}
