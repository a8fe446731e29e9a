package dev.idempotency.testkit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.idempotency.testkit.HttpProviderSimulator.Gate;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Charges as JSON: strict on the way in, one canonical form on the way to the ledger. Stateless. */
final class ChargeJson {

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final int MAX_TEXT = 255;

    private ChargeJson() {}

    /** A body that breaks the contract; the message is for the client. */
    static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedException(String message) {
            super(message);
        }
    }

    record Charge(String reference, long amount, String currency, String customer) {

        /** Equal charges have equal payloads: the fields in alphabetical order, no blanks. */
        String payload() {
            return JSON.createObjectNode()
                    .put("amount", amount)
                    .put("currency", currency)
                    .put("customer", customer)
                    .put("reference", reference)
                    .toString();
        }
    }

    static ObjectNode faults(Map<Fault, Long> chosen) {
        var node = JSON.createObjectNode();
        chosen.forEach((fault, count) -> node.put(fault.label(), count));
        return node;
    }

    static Charge charge(byte[] body) throws MalformedException {
        var node = object(body, Set.of("reference", "amount", "currency", "customer"));
        var amount = node.path("amount");
        if (!amount.isIntegralNumber() || !amount.canConvertToLong() || amount.longValue() < 1) {
            throw new MalformedException("amount must be a whole number of minor units from 1");
        }
        var currency = text(node, "currency");
        if (!currency.matches("[A-Z]{3}")) {
            throw new MalformedException("currency must be three capital letters");
        }
        return new Charge(text(node, "reference"), amount.longValue(), currency, text(node, "customer"));
    }

    static String keyToSeal(byte[] body) throws MalformedException {
        return text(object(body, Set.of("idempotency_key")), "idempotency_key");
    }

    record HeldRequest(String reference, Gate gate) {}

    static HeldRequest gate(byte[] body) throws MalformedException {
        var node = object(body, Set.of("reference", "gate"));
        var gate = text(node, "gate").toUpperCase(Locale.ROOT).replace('-', '_');
        for (var known : Gate.values()) {
            if (known.name().equals(gate)) {
                return new HeldRequest(text(node, "reference"), known);
            }
        }
        throw new MalformedException("gate must be one of before-effect, before-response, in-response");
    }

    static String checkedText(String name, String value) throws MalformedException {
        if (value.isBlank() || value.length() > MAX_TEXT) {
            throw new MalformedException(name + " must have 1 to " + MAX_TEXT + " characters and not be blank");
        }
        return value;
    }

    private static JsonNode object(byte[] body, Set<String> fields) throws MalformedException {
        JsonNode node;
        try {
            node = JSON.readTree(body);
        } catch (JsonProcessingException e) {
            throw new MalformedException("the body is not JSON");
        } catch (IOException e) {
            throw new MalformedException("the body cannot be read");
        }
        if (!node.isObject()) {
            throw new MalformedException("the body is not a JSON object");
        }
        for (var names = node.fieldNames(); names.hasNext(); ) {
            if (!fields.contains(names.next())) {
                throw new MalformedException("the body has a field other than "
                        + fields.stream().sorted().toList());
            }
        }
        return node;
    }

    private static String text(JsonNode node, String field) throws MalformedException {
        var value = node.path(field);
        if (!value.isTextual()) {
            throw new MalformedException(field + " must be a string");
        }
        return checkedText(field, value.textValue());
    }

    static ObjectNode created(Effect effect) {
        try {
            var payload = JSON.readTree(effect.payload());
            return JSON.createObjectNode()
                    .put("id", effect.effectId())
                    .put("reference", effect.reference())
                    .put("amount", payload.path("amount").longValue())
                    .put("currency", payload.path("currency").textValue())
                    .put("status", "succeeded");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("effect " + effect.effectId() + " is not a charge", e);
        }
    }

    static ObjectNode list(List<Effect> effects) {
        var list = JSON.createObjectNode();
        var data = list.putArray("data");
        effects.forEach(effect -> data.add(created(effect)));
        return list;
    }

    static ObjectNode declined(String reason) {
        return JSON.createObjectNode().put("status", "declined").put("reason", reason);
    }

    static ObjectNode error(String error) {
        return JSON.createObjectNode().put("error", error);
    }

    static ObjectNode sealAnswer(SealAnswer answer) {
        var node = JSON.createObjectNode();
        if (answer instanceof SealAnswer.Found found) {
            node.put("status", "found").set("charge", created(found.effect()));
        } else {
            node.put("status", "sealed");
        }
        return node;
    }
}
