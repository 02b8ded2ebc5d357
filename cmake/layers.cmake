# skiff_library(<area> [DEPS <area>...] [LIBS <library>...] [TEST_SUPPORT <file>...])
#
# Makes the static library skiff_<area> from every .cc of the calling folder (sub-folders included) and, from
# every *_test.cc, one doctest binary <area>_test. DEPS names the areas below that this one may use;
# TEST_SUPPORT names
# files of src/testing that the test binary needs; scripts/lint/layers.py holds the same table in words and refuses an include that is not in it.
function(skiff_library area)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS;TEST_SUPPORT" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  if(sources)
    add_library(skiff_${area} STATIC ${sources})
    set(scope PUBLIC)
    if(SKIFF_PCH)
      target_precompile_headers(skiff_${area} REUSE_FROM skiff_pch)
    endif()
  else()
    add_library(skiff_${area} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(skiff_${area} ${scope} ${CMAKE_SOURCE_DIR}/src)
  foreach(dep ${ARG_DEPS})
    target_link_libraries(skiff_${area} ${scope} skiff_${dep})
  endforeach()
  target_link_libraries(skiff_${area} ${scope} fmt ${ARG_LIBS})

  if(tests AND SKIFF_TESTS)
    set(support ${ARG_TEST_SUPPORT})
    list(TRANSFORM support PREPEND ${CMAKE_SOURCE_DIR}/src/testing/)
    add_executable(${area}_test ${tests} ${CMAKE_SOURCE_DIR}/src/testing/doctest_main.cc
      ${support})
    target_link_libraries(${area}_test PRIVATE skiff_${area})
    target_include_directories(${area}_test PRIVATE ${CMAKE_SOURCE_DIR}/src)
    target_compile_definitions(${area}_test PRIVATE SKIFF_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${area} COMMAND ${area}_test)
  endif()
endfunction()
