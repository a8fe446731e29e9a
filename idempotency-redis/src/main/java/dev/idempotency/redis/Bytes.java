package dev.idempotency.redis;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Numbers, texts and bytes in as few bytes as is simple: numbers take seven bits a byte, the lowest first. Not thread-safe. */
final class Bytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(256);

    void number(long number) {
        long left = number;
        while ((left & ~0x7fL) != 0) {
            out.write((int) (left & 0x7f) | 0x80);
            left >>>= 7;
        }
        out.write((int) left);
    }

    void flag(boolean flag) {
        out.write(flag ? 1 : 0);
    }

    void text(String text) {
        bytes(text.getBytes(StandardCharsets.UTF_8));
    }

    void bytes(byte[] bytes) {
        number(bytes.length);
        raw(bytes);
    }

    void raw(byte[] bytes) {
        out.writeBytes(bytes);
    }

    /** Four bytes, the highest first. */
    void int32(int number) {
        raw(ByteBuffer.allocate(Integer.BYTES).putInt(number).array());
    }

    int size() {
        return out.size();
    }

    byte[] toByteArray() {
        return out.toByteArray();
    }

    /** Reads what was written, in the same order. */
    record Reader(ByteBuffer in) {
        long number() {
            long number = 0;
            int shift = 0;
            while (true) {
                byte next = in.get();
                number |= (next & 0x7fL) << shift;
                if (next >= 0) {
                    return number;
                }
                shift += 7;
            }
        }

        int int32() {
            return (int) number();
        }

        boolean flag() {
            return in.get() != 0;
        }

        String text() {
            return new String(bytes(), StandardCharsets.UTF_8);
        }

        byte[] bytes() {
            var bytes = new byte[Math.min(int32(), in.remaining() + 1)];
            in.get(bytes);
            return bytes;
        }
    }
}
