package skulk.runner.mlx.schedule;

import java.util.Optional;
import skulk.api.generation.GenerationEvent.FinishReason;

/** Why a sequence ends. @param stopSequence the client's stop string that ended it */
public record End(FinishReason reason, Optional<String> stopSequence) {
    public static End of(FinishReason reason) {
        return new End(reason, Optional.empty());
    }
}
