package dev.idempotency.cli;

import org.jspecify.annotations.Nullable;

/**
 * Who looks at a page.
 *
 * @param user the name that the authenticator gave; null where people type their names
 * @param token what each form has to bring
 * @param typed the name that was typed last in this session; empty if none was, or people sign in
 */
record Visit(@Nullable String user, String token, String typed) {}
