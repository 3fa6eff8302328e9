package skulk.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every field of the request types of LangChain4j's Ollama client, as {@link SdkFieldsIT} has it for the SDKs; those of the npm package are in {@link NpmIT}. */
@ExtendWith(SharedNode.class)
class OllamaFieldsIT {
    @ParameterizedTest
    @CsvSource({
        "OllamaChatRequest, ChatRequest",
        "CompletionRequest, GenerateRequest",
        "EmbeddingRequest, EmbedRequest",
        "ShowModelInformationRequest, ShowRequest",
        "Options, Options",
        "Message, Message",
        "Function, Tool.function"
    })
    void everyFieldDoesWhatItsRowSays(String theirs, String ours, ServingNode node) throws Exception {
        PropertyNamingStrategies.SnakeCaseStrategy snake = new PropertyNamingStrategies.SnakeCaseStrategy();
        Set<String> fields = Arrays.stream(
                        Class.forName("dev.langchain4j.model.ollama." + theirs).getDeclaredFields())
                .filter(field -> !Modifier.isStatic(field.getModifiers()))
                .map(Field::getName)
                .filter(name -> !name.equals("additionalFields")) // what the user of the client makes up
                .map(snake::translate)
                .collect(Collectors.toCollection(TreeSet::new));
        assertFalse(fields.isEmpty());
        assertEquals(java.util.List.of(), FieldTables.wrong(node, OllamaFields.TYPES.get(ours), fields));
    }
}
