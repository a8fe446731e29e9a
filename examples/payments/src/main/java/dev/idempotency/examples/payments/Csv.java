package dev.idempotency.examples.payments;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads CSV as RFC 4180 has it: fields in quotes may hold commas, line ends and doubled quotes. Lines end with CRLF or LF.
 * Blanks around a field and blank lines mean nothing; everything else that is not CSV is refused.
 */
final class Csv {
    /**
     * One row.
     *
     * @param line the number of its first line in the file, from 1
     */
    record Row(int line, List<String> fields) {}

    /** Text that is not CSV; the message says where. */
    static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedException(int line, String what) {
            super("line " + line + ": " + what);
        }
    }

    private final String text;
    private int at;
    private int line = 1;

    private Csv(String text) {
        this.text = text;
    }

    static List<Row> parse(String text) throws MalformedException {
        return new Csv(text).rows();
    }

    private List<Row> rows() throws MalformedException {
        var rows = new ArrayList<Row>();
        while (at < text.length()) {
            int start = line;
            var fields = new ArrayList<String>();
            fields.add(field());
            while (take(',')) {
                fields.add(field());
            }
            if (!take('\n') && !(take('\r') && take('\n')) && at < text.length()) {
                throw new MalformedException(
                        line, "a field goes on after its closing quote, or a line ends with CR alone");
            }
            line++;
            if (fields.size() > 1 || !fields.get(0).isEmpty()) {
                rows.add(new Row(start, List.copyOf(fields)));
            }
        }
        return rows;
    }

    private String field() throws MalformedException {
        skipBlanks();
        if (!take('"')) {
            return plain();
        }
        String quoted = quoted();
        skipBlanks();
        return quoted.strip();
    }

    private String plain() throws MalformedException {
        int from = at;
        while (at < text.length() && ",\r\n".indexOf(text.charAt(at)) < 0) {
            if (text.charAt(at++) == '"') {
                throw new MalformedException(line, "a quote in a field that does not begin with one");
            }
        }
        return text.substring(from, at).strip();
    }

    private String quoted() throws MalformedException {
        int start = line;
        var value = new StringBuilder();
        while (at < text.length()) {
            char next = text.charAt(at++);
            if (next == '"' && !take('"')) {
                return value.toString();
            }
            line += next == '\n' ? 1 : 0;
            value.append(next);
        }
        throw new MalformedException(start, "a quote that is never closed");
    }

    private void skipBlanks() {
        while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
            at++;
        }
    }

    private boolean take(char wanted) {
        boolean there = at < text.length() && text.charAt(at) == wanted;
        at += there ? 1 : 0;
        return there;
    }
}
