package com.example.shop;

/** Points that a customer got for an order: a row of the shop's own database. */
record Points(int number, long points) {}
