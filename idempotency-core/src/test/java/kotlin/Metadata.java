package kotlin;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** What Kotlin's compiler annotates its classes with. */
@Retention(RetentionPolicy.RUNTIME)
public @interface Metadata {}
