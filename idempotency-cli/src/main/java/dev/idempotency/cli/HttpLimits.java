package dev.idempotency.cli;

/** What the JDK's server takes only as properties of the process, before its first use: bounds for slow and large requests. */
final class HttpLimits {
    private HttpLimits() {}

    static void set() {
        setUnlessSet("sun.net.httpserver.maxReqHeaders", "64");
        setUnlessSet("sun.net.httpserver.maxReqHeaderSize", "65536");
        setUnlessSet("sun.net.httpserver.maxReqTime", "10");
        setUnlessSet("sun.net.httpserver.maxRspTime", "20");
        setUnlessSet("jdk.httpserver.maxConnections", "500");
    }

    private static void setUnlessSet(String name, String value) {
        if (System.getProperty(name) == null) {
            System.setProperty(name, value);
        }
    }
}
