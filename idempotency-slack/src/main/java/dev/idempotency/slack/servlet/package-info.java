/** The endpoint in a servlet container. Needs {@code jakarta.servlet:jakarta.servlet-api}, which the container brings. */
@NullMarked
package dev.idempotency.slack.servlet;

import org.jspecify.annotations.NullMarked;
