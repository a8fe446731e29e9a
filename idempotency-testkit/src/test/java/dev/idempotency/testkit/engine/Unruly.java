package dev.idempotency.testkit.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Code of users that breaks the rules. */
final class Unruly {
    private Unruly() {}

    /** Null where the compiler does not allow one. */
    @SuppressWarnings("NullAway")
    static <T> T nothing() {
        @Nullable T none = null;
        return none;
    }

    /** Throws what the signature does not allow. */
    @SuppressWarnings("unchecked")
    static <X extends Throwable> RuntimeException sneaky(Throwable failure) throws X {
        throw (X) failure;
    }

    /** Overflows the stack, for every depth from 0. */
    static long overflow(long depth) {
        return depth < 0 ? 0 : 1 + overflow(depth + 1);
    }

    /** A stage that nobody can listen to. */
    static final class Stage<T> extends CompletableFuture<T> {
        @Override
        public CompletableFuture<T> whenComplete(BiConsumer<? super T, ? super Throwable> action) {
            throw new IllegalStateException("not observable");
        }
    }

    /** An executor that refuses tasks while it is told to. */
    static final class Executor extends ThreadPoolExecutor {
        private volatile boolean refuses;

        Executor() {
            super(2, 2, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
        }

        void refuses(boolean now) {
            refuses = now;
        }

        @Override
        public void execute(Runnable task) {
            if (refuses) {
                throw new RejectedExecutionException("not now");
            }
            super.execute(task);
        }
    }
}
