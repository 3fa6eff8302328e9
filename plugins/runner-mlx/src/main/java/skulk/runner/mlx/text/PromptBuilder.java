package skulk.runner.mlx.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import skulk.api.generation.GenerationRequest;
import skulk.api.generation.GenerationRequest.Prompt.Conversation;
import skulk.api.generation.GenerationRequest.Prompt.Text;
import skulk.api.generation.GenerationRequest.Prompt.Tokens;
import skulk.api.generation.GenerationRequest.ReasoningWish;
import skulk.api.generation.Message;
import skulk.api.problem.Problem.Kind;
import skulk.api.problem.SkulkException;
import skulk.runner.mlx.template.ChatTemplate;
import skulk.runner.mlx.template.TemplateException;
import skulk.runner.mlx.template.TemplateLimitException;
import skulk.runner.mlx.template.TemplateRaisedException;
import skulk.runner.mlx.template.TemplateRenderException;

/**
 * Makes prompts: renders conversations with the model's template and tokenises them. Safe for use by several threads.
 */
public final class PromptBuilder {
    private final Tokenizer tokenizer;
    private final CheckpointText text;
    private final Optional<Integer> bos;
    private final Map<String, ChatTemplate> compiled = new ConcurrentHashMap<>();

    public PromptBuilder(Tokenizer tokenizer, CheckpointText text) {
        this.tokenizer = tokenizer;
        this.text = text;
        this.bos = text.bosToken().flatMap(tokenizer::id);
    }

    /**
     * The prompt of a request.
     *
     * @throws SkulkException (user error) where the conversation cannot be rendered or a token does not exist
     */
    public Prompt build(GenerationRequest.Prompt prompt, ReasoningWish wish) {
        return switch (prompt) {
            case Tokens(List<Integer> tokens) -> new Prompt("", ids(tokens));
            case Text(String raw) -> new Prompt(raw, once(tokenizer.encode(raw, true)));
            case Conversation conversation -> conversation(conversation, wish);
        };
    }

    /** Renders a conversation to text alone. @throws SkulkException as {@link #build} */
    public String render(Conversation conversation, ReasoningWish wish) {
        boolean tools = !conversation.tools().isEmpty();
        Optional<String> source = text.template(tools);
        if (source.isEmpty()) {
            return joined(conversation);
        }
        ChatTemplate template = compiled.computeIfAbsent(source.get(), PromptBuilder::compile);
        TemplateContext convention = TemplateContext.conventional(source.get());
        try {
            return template.render(convention.of(conversation, wish, text.specialTokens()));
        } catch (TemplateRenderException e) {
            for (Attempt other : others(convention, conversation, e)) {
                try {
                    return template.render(other.spelling.of(other.conversation, wish, text.specialTokens()));
                } catch (TemplateRenderException again) {
                    e.addSuppressed(again);
                }
            }
            throw refused(e);
        }
    }

    private record Attempt(TemplateContext spelling, Conversation conversation) {}

    /**
     * What else a template may accept: other spellings where it failed, no system message where it refused the
     * conversation.
     */
    private static List<Attempt> others(
            TemplateContext spelling, Conversation conversation, TemplateRenderException e) {
        return switch (e) {
            case TemplateLimitException limit -> List.of();
            case TemplateRaisedException refusal ->
                withoutSystem(conversation).map(folded -> new Attempt(spelling, folded)).stream()
                        .toList();
            default ->
                spelling.fallbacks().stream()
                        .map(other -> new Attempt(other, conversation))
                        .toList();
        };
    }

    /** The system message as the beginning of the first user message, for models that know no system role. */
    private static Optional<Conversation> withoutSystem(Conversation conversation) {
        List<Message> messages = conversation.messages();
        boolean folds = messages.size() > 1
                && Set.of("system", "developer").contains(messages.getFirst().role())
                && messages.get(1).role().equals("user");
        if (!folds) {
            return Optional.empty();
        }
        String system = messages.getFirst().content().orElse("");
        Message user = messages.get(1);
        Message both = new Message(
                user.role(),
                Optional.of(system + "\n\n" + user.content().orElse("")),
                user.reasoning(),
                user.name(),
                user.toolCalls(),
                user.toolCallId());
        List<Message> folded = new ArrayList<>(messages.subList(1, messages.size()));
        folded.set(0, both);
        return Optional.of(new Conversation(
                folded,
                conversation.tools(),
                conversation.choice(),
                conversation.parallelToolCalls(),
                conversation.templateArguments()));
    }

    private Prompt conversation(Conversation conversation, ReasoningWish wish) {
        String rendered = render(conversation, wish);
        if (text.templates().isEmpty()) {
            return new Prompt(rendered, once(tokenizer.encode(rendered, true)));
        }
        int[] tokens = tokenizer.encode(rendered, false);
        // templates write bos themselves; where one does not and the tokenizer asks for it, it is added
        boolean missing =
                text.addBos().orElse(false) && bos.isPresent() && (tokens.length == 0 || tokens[0] != bos.get());
        return new Prompt(rendered, missing ? prepend(bos.get(), tokens) : tokens);
    }

    /** One bos where the text was written with one and the tokenizer added another. */
    private int[] once(int[] tokens) {
        boolean twice = bos.isPresent() && tokens.length > 1 && tokens[0] == bos.get() && tokens[1] == bos.get();
        return twice ? Arrays.copyOfRange(tokens, 1, tokens.length) : tokens;
    }

    private int[] ids(List<Integer> tokens) {
        for (int i = 0; i < tokens.size(); i++) {
            if (tokens.get(i) < 0) {
                throw new SkulkException(Kind.USER_ERROR, "prompt[" + i + "] is " + tokens.get(i) + ", not a token id");
            }
        }
        return tokens.stream().mapToInt(Integer::intValue).toArray();
    }

    private static int[] prepend(int first, int[] tokens) {
        int[] all = new int[tokens.length + 1];
        all[0] = first;
        System.arraycopy(tokens, 0, all, 1, tokens.length);
        return all;
    }

    private static String joined(Conversation conversation) {
        if (!conversation.tools().isEmpty()) {
            throw new SkulkException(
                    Kind.USER_ERROR, "tools: the model has no chat template, so it cannot be told of tools");
        }
        return conversation.messages().stream()
                .map(Message::content)
                .flatMap(Optional::stream)
                .collect(Collectors.joining("\n"));
    }

    private static ChatTemplate compile(String source) {
        try {
            return ChatTemplate.compile(source);
        } catch (TemplateException e) {
            throw new SkulkException(
                    skulk.api.problem.Problem.of(
                            Kind.INTERNAL, "the model's chat template cannot be read: " + e.getMessage()),
                    e);
        }
    }

    private static SkulkException refused(TemplateException e) {
        return new SkulkException(
                skulk.api.problem.Problem.of(
                        Kind.USER_ERROR, "the model's chat template refuses the messages: " + e.getMessage()),
                e);
    }
}
