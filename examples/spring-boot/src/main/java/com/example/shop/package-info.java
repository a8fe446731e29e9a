/** A shop whose orders are charged once: the library in a Spring Boot application. */
package com.example.shop;
