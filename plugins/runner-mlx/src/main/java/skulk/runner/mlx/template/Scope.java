package skulk.runner.mlx.template;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import skulk.runner.mlx.template.Unit.Variable;

/**
 * Which names a scope has and where each gets its first value: {@code Symbols} of jinja2/idtracking.py. A name that is
 * only read belongs to the innermost scope that knows it, or comes from the context when the scope is entered; a name
 * that is set belongs to the scope that sets it and starts as a copy of the outer one.
 */
final class Scope {
    /** Where a variable gets its value when its scope is entered. */
    sealed interface Load {
        /** From the caller or the loop. */
        record Parameter() implements Load {}

        /** Nowhere. */
        record Unset() implements Load {}

        /** From the context. */
        record Resolve(String name) implements Load {}

        /** From the scope around. */
        record Alias(Variable outer) implements Load {}
    }

    private final Optional<Scope> parent;
    private final Unit unit;
    /** One variable a name, shared by the copies made for the branches of an if. */
    private final Map<String, Variable> variables;

    private final Map<String, Variable> refs = new HashMap<>();
    private final Map<Variable, Load> loads = new LinkedHashMap<>();
    private final Set<String> stores = new HashSet<>();

    private Scope(Optional<Scope> parent, Unit unit, Map<String, Variable> variables) {
        this.parent = parent;
        this.unit = unit;
        this.variables = variables;
    }

    static Scope root(Unit unit) {
        return new Scope(Optional.empty(), unit, new HashMap<>());
    }

    Scope child(Unit childUnit) {
        return new Scope(Optional.of(this), childUnit, new HashMap<>());
    }

    Scope copy() {
        Scope copy = new Scope(parent, unit, variables);
        copy.refs.putAll(refs);
        copy.loads.putAll(loads);
        copy.stores.addAll(stores);
        return copy;
    }

    Unit unit() {
        return unit;
    }

    Map<Variable, Load> loads() {
        return loads;
    }

    private Variable define(String name, Load load) {
        Variable variable = variables.computeIfAbsent(name, _ -> unit.newVariable());
        refs.put(name, variable);
        loads.put(variable, load);
        return variable;
    }

    Optional<Variable> find(String name) {
        Variable known = refs.get(name);
        return known != null ? Optional.of(known) : parent.flatMap(outer -> outer.find(name));
    }

    /** The variable of a name; one that the analysis did not meet comes from the context. */
    Variable ref(String name) {
        return find(name).orElseGet(() -> define(name, new Load.Resolve(name)));
    }

    void store(String name) {
        stores.add(name);
        if (!refs.containsKey(name)) {
            Optional<Variable> outer = parent.flatMap(around -> around.find(name));
            define(name, outer.<Load>map(Load.Alias::new).orElseGet(Load.Unset::new));
        }
    }

    Variable parameter(String name) {
        stores.add(name);
        return define(name, new Load.Parameter());
    }

    void load(String name) {
        if (find(name).isEmpty()) {
            define(name, new Load.Resolve(name));
        }
    }

    /** Takes over what the branches of an if have set: such a name may keep the value it had outside. */
    void merge(List<Scope> branches) {
        Set<String> branchStores = new HashSet<>();
        branches.forEach(branch -> branchStores.addAll(branch.stores));
        branchStores.removeAll(stores);
        for (Scope branch : branches) {
            refs.putAll(branch.refs);
            loads.putAll(branch.loads);
            stores.addAll(branch.stores);
        }
        for (String name : branchStores) {
            Optional<Variable> outer = parent.flatMap(around -> around.find(name));
            loads.put(ref(name), outer.<Load>map(Load.Alias::new).orElseGet(() -> new Load.Resolve(name)));
        }
    }

    /** Every name set here or around, with its innermost variable. */
    Map<String, Variable> visible() {
        Map<String, Variable> all = parent.map(Scope::visible).orElseGet(HashMap::new);
        stores.forEach(name -> all.put(name, ref(name)));
        return all;
    }
}
