package skulk.kernel.operation;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import skulk.api.cluster.CommandId;
import skulk.api.cluster.Download;
import skulk.api.cluster.NodeId;
import skulk.api.cluster.Shard;
import skulk.api.cluster.Shard.PipelineShardMetadata;
import skulk.api.json.Json;
import skulk.api.json.JsonObject;
import skulk.api.json.JsonString;
import skulk.api.json.Records;
import skulk.api.model.ModelCard;
import skulk.api.model.ModelId;
import skulk.api.operation.Operation.CatalogEntry;
import skulk.kernel.cluster.Event;

/** The catalog and the files of models. */
final class Models {
    private final Kit kit;
    private final Peers peers;

    Models(Kit kit, Peers peers) {
        this.kit = kit;
        this.peers = peers;
    }

    List<CatalogEntry> list() {
        Set<ModelId> completed = kit.cluster().view().downloads().values().stream()
                .flatMap(List::stream)
                .filter(Download.DownloadCompleted.class::isInstance)
                .map(d -> d.shardMetadata().modelCard().modelId())
                .collect(Collectors.toSet());
        return kit.catalog().all().stream()
                .map(card -> new CatalogEntry(
                        card,
                        completed.contains(card.modelId())
                                || kit.storage()
                                        .ready(PipelineShardMetadata.all(card))
                                        .isPresent()))
                .toList();
    }

    CatalogEntry add(ModelId model) {
        ModelCard card = kit.catalog().fetch(model);
        kit.cluster().report(new Event.CustomModelCardAdded(card));
        kit.catalog().keep(card);
        return new CatalogEntry(
                card, kit.storage().ready(PipelineShardMetadata.all(card)).isPresent());
    }

    boolean delete(ModelId model) {
        boolean known = kit.catalog().drop(model);
        if (known) {
            kit.cluster().report(new Event.CustomModelCardDeleted(model));
        }
        return known;
    }

    CommandId download(NodeId node, Shard shard) {
        peers.ask(node, "download", Records.toJson(shard));
        return CommandId.random();
    }

    CommandId cancelDownload(NodeId node, ModelId model) {
        peers.ask(node, "download-cancel", new JsonString(model.value()));
        return CommandId.random();
    }

    CommandId purge(Optional<ModelId> model) {
        Json body = JsonObject.builder().put("model", model).build();
        peers.askAll("purge", body, Peers.PATIENCE);
        return CommandId.random();
    }
}
