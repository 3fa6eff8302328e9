package skulk.runner.mlx.template;

import java.util.Map;
import java.util.Optional;

/**
 * A template ready to run.
 *
 * @param main its own body
 * @param blocks the bodies of its named blocks
 */
record CompiledTemplate(Body main, Map<String, Body> blocks) {
    /**
     * A body that runs in a frame of its own without a frame around it.
     *
     * @param unit tells how large the frame is
     * @param steps the statements
     */
    record Body(Unit unit, Step steps) {
        String run(Render render) {
            Frame frame = new Frame(unit.size(), null, render);
            steps.run(frame);
            return frame.out.toString();
        }
    }

    String render(Render render) {
        return main.run(render);
    }

    Optional<Body> block(String name) {
        return Optional.ofNullable(blocks.get(name));
    }
}
