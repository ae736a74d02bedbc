// Made by make_constants.py; do not edit.
#pragma once

namespace {

// exp: x = k ln(2)/16 + r, |r| <= ln(2)/32. The head has 38 bits, so that k times it is exact.
constexpr double kStepsPerUnit = 0x1.71547652b82fep+4;
constexpr double kStepHead = 0x1.62e42fefa0000p-5;
constexpr double kStepTail = 0x1.cf79abc9e3b3ap-44;
constexpr double kStep = 0x1.62e42fefa39efp-5;

// 2^(i/16), with i << 48 taken off its bits, so that adding k << 48 gives 2^(k/16) for k = 16 q + i.
constexpr double kExpTable[16] = {
    0x1.0000000000000p+0,
    0x1.fb5586cf9890fp-1,
    0x1.f72b83c7d517bp-1,
    0x1.f387a6e756238p-1,
    0x1.f06fe0a31b715p-1,
    0x1.edea64c123422p-1,
    0x1.ebfdad5362a27p-1,
    0x1.eab07dd485429p-1,
    0x1.ea09e667f3bcdp-1,
    0x1.ea11473eb0187p-1,
    0x1.eace5422aa0dbp-1,
    0x1.ec49182a3f090p-1,
    0x1.ee89f995ad3adp-1,
    0x1.f199bdd85529cp-1,
    0x1.f5818dcfba487p-1,
    0x1.fa4afa2a490dap-1,
};

// What rounding took off 2^(i/16), relative to it.
constexpr double kExpTableTail[16] = {
    0x0.0p+0,
    0x1.79aa65d837b6cp-54,
    -0x1.01b15eaa59348p-55,
    0x1.68efde3a8a893p-54,
    0x1.34d754db0abb6p-55,
    0x1.59f48a72a4c6cp-55,
    0x1.690cebb7aafb0p-56,
    0x1.063e1e21c5409p-54,
    -0x1.3b3efbf5e2229p-54,
    -0x1.b32dcb94da51dp-56,
    0x1.db72fc1f0eab4p-55,
    0x1.1affc2b91ce27p-56,
    0x1.c1a7792cb3386p-55,
    0x1.36eae30af0cb3p-56,
    0x1.4a385a63d07a7p-56,
    -0x1.ff7128fd391f1p-55,
};

// (e^r - 1 - r) / r^2 for |r| <= ln(2)/32, largest error 2^-25.5; lowest power first.
// An odd number of terms: the error is of opposite sign at the two ends, so that from one step of the table to
// the next the result never falls as x grows.
constexpr double kExpShort[3] = {
    0x1.0000000000000p-1,
    0x1.5556deec7a397p-3,
    0x1.55565bb9f4932p-5,
};

// The same, largest error 2^-43.9.
constexpr double kExpNarrow[5] = {
    0x1.0000000000000p-1,
    0x1.55555554dd44dp-3,
    0x1.55555555194d2p-5,
    0x1.11120af701debp-7,
    0x1.6c17bb51f236dp-10,
};

// The same, largest error 2^-53.0.
constexpr double kExpWide[6] = {
    0x1.0000000000001p-1,
    0x1.5555555555556p-3,
    0x1.55555554e9468p-5,
    0x1.11111110e10a8p-7,
    0x1.6c17ed4cc4834p-10,
    0x1.a01b0c2edab7cp-13,
};

// (2 atanh(s) - 2 s) / s^3 as a polynomial in s^2, for |s| up to (sqrt(2) - 1)/(sqrt(2) + 1), largest error 2^-54.6.
constexpr double kAtanh[8] = {
    0x1.5555555555555p-1,
    0x1.9999999999a38p-2,
    0x1.2492492476c42p-2,
    0x1.c71c720168526p-3,
    0x1.745cf8fe328f9p-3,
    0x1.3b1c36b445cebp-3,
    0x1.0fbe71ad855c9p-3,
    0x1.0c05166ec4148p-3,
};

// ln(2): the head has 40 bits, so that an exponent times it is exact.
constexpr double kLn2Head = 0x1.62e42fefa4000p-1;
constexpr double kLn2Tail = -0x1.8432a1b0e2634p-43;
constexpr double kSqrtTwo = 0x1.6a09e667f3bcdp+0;

}  // namespace
