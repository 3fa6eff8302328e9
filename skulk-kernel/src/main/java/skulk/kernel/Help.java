package skulk.kernel;

/** What {@code --help} prints. */
final class Help {
    static final String TEXT = """
            Skulk: several machines, one cluster, large language models served as if by one computer.

            usage: skulk [command] [options]

              serve             runs a node (the default)
              demo              starts two nodes, splits the embedded model over them, asks it a question
              models list       what lies on the cluster's disks; also: pull, rm, show
              bundle export     puts a model, its card and digests into one file; import takes it on another machine
              model logits      evaluates tokens with a checkpoint folder
              model render      renders a chat template
              bench             measures the engine on this machine
              config explain    prints every configuration key, its value, where it comes from and what it means
              doctor            looks for what would keep a node from running here
              warm              renews the ahead-of-time cache that makes starts fast
              version           prints the version

            'skulk COMMAND --help' explains a command.
            """;

    private Help() {}
}
