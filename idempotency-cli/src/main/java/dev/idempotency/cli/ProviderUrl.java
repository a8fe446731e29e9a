package dev.idempotency.cli;

import dev.idempotency.store.IdempotencyRecord;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where people find a write at the provider: an address with {@code {nativeKey}} or {@code {key}} in it. Values stand in it
 * percent-encoded and behind the host, so that no key leads to another site. Immutable.
 */
final class ProviderUrl {
    private static final Pattern PLACE = Pattern.compile("\\{([^{}]*)}");
    private static final Pattern PREFIX = Pattern.compile("(?i)https?://[^/?#{}@\\s\\\\]+[/?#][^{}]*");
    private static final Set<String> NAMES = Set.of("nativeKey", "key");

    private final String template;

    private ProviderUrl(String template) {
        this.template = template;
    }

    /** @throws IllegalArgumentException if it is no such address */
    static ProviderUrl of(String template) {
        Matcher places = PLACE.matcher(template);
        if (!places.find()) {
            throw new IllegalArgumentException("the address must have {nativeKey} or {key} in it");
        }
        if (!PREFIX.matcher(template.substring(0, places.start())).matches()) {
            throw new IllegalArgumentException(
                    "the address must begin with http:// or https:// and a host, and have {nativeKey} or {key} only behind them");
        }
        do {
            if (!NAMES.contains(places.group(1))) {
                throw new IllegalArgumentException(
                        "the address may have {nativeKey} and {key} in it, and nothing else in braces");
            }
        } while (places.find());
        String filled = PLACE.matcher(template).replaceAll("x");
        URI uri = URI.create(filled);
        if (uri.getHost() == null || uri.getRawUserInfo() != null) {
            throw new IllegalArgumentException("the address must have a host, and no user");
        }
        Target.outside(filled);
        return new ProviderUrl(template);
    }

    /** Null when a value would be taken for a step in the path. */
    @Nullable
    Target of(IdempotencyRecord record) {
        var filled = new StringBuilder();
        Matcher places = PLACE.matcher(template);
        while (places.find()) {
            String value = places.group(1).equals("key") ? record.key().value() : record.nativeKey();
            if (value.equals(".") || value.equals("..") || value.isEmpty()) {
                return null;
            }
            places.appendReplacement(filled, Matcher.quoteReplacement(encode(value)));
        }
        places.appendTail(filled);
        return Target.outside(filled.toString());
    }

    private static String encode(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("*", "%2A");
    }

    /** The host that people go to. */
    String host() {
        return URI.create(PLACE.matcher(template).replaceAll("x")).getHost().toLowerCase(Locale.ROOT);
    }
}
